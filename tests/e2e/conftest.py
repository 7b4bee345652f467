"""Gives the tests in a browser their fixtures, where there is something to drive one with."""

from importlib.util import find_spec

if find_spec("playwright") is None:
    # As in .venv-latest, where the tests run for a second time, and these do not.
    collect_ignore_glob = ["test_*.py"]
else:
    from .fixtures import (  # noqa: F401
        _loopback,
        _vpn,
        browser,
        hass_program,
        house,
        pytest_collection_modifyitems,
        ready,
        sit_down,
        user,
        verify_cleanup,
    )

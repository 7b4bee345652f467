"""Marks the tests of promises that the core keeps by itself."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of modules in which no test has a Home Assistant."""
    here = [item for item in items if HERE in item.path.parents]
    with_home_assistant = {
        item.path for item in here if "hass" in getattr(item, "fixturenames", ())
    }
    for item in here:
        if item.path not in with_home_assistant:
            item.add_marker(pytest.mark.core)


@pytest.fixture(autouse=True)
def _loopback(request: pytest.FixtureRequest) -> None:
    """Permit sockets to these, as in tests/unit; the plugin limits connections to 127.0.0.1."""
    if request.node.get_closest_marker("core"):
        request.getfixturevalue("socket_enabled")

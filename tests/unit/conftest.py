"""Marks the tests of the core, and permits sockets to them."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.core)


@pytest.fixture(autouse=True)
def _loopback(socket_enabled: None) -> None:
    """Permit sockets; the test plugin limits connections to 127.0.0.1."""

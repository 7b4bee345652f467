"""Fixtures for the tests of the outbox."""

import pytest

from custom_components.qbittorrent_resilient.core.outbox.outbox import Outbox
from tests.support.store import MemoryStore


@pytest.fixture
def disk() -> MemoryStore:
    """Return an empty store."""
    return MemoryStore()


@pytest.fixture
def queue(disk: MemoryStore) -> Outbox:
    """Return an empty outbox."""
    return Outbox(disk)

"""Stores that keep no file: Home Assistant's own test fixtures make them, for anybody's tests."""

from homeassistant.core import HomeAssistant

from custom_components.qbittorrent_resilient.storage.queue_storage import QueueStorage
from tests.support.queue_files import books


async def test_a_store_in_memory_is_asked_itself(hass: HomeAssistant) -> None:
    first = QueueStorage(hass, "hub")
    await first.load()
    await first.commit(books(range(1, 4)), [])
    await first.commit({}, list(books(range(1, 2))))
    assert not first.path.exists()
    assert await QueueStorage(hass, "hub").load() == books(range(2, 4))

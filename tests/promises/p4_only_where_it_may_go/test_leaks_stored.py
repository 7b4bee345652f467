"""Which servers leak outlives a disk that could not take it at once."""

from collections.abc import Iterator
import contextlib
from pathlib import Path
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.util.file import WriteError
import pytest

from tests.support.actions import add, again, status_of
from tests.support.common import Start, link, poll, settled
from tests.support.fake.server import FakeQBittorrent
from tests.support.leaks import ROUTER, leak, start_at_home

pytestmark = pytest.mark.usefixtures("vpn")

FILE = "qbittorrent_resilient.hub.routes"


@contextlib.contextmanager
def no_room_for_routes() -> Iterator[None]:
    """Let a Store fail to write, which it logs and tells nobody."""
    write = Store._async_write_data

    async def full(self: Store[Any], *args: Any) -> None:
        if self.key == FILE:
            raise WriteError("No space left on device")
        await write(self, *args)

    with patch.object(Store, "_async_write_data", full):
        yield


@pytest.mark.parametrize("then", ["later", "reload"])
async def test_a_leak_that_could_not_be_written_at_once(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, storage_folder: Path, then: str
) -> None:
    """It is written as soon as there is room again, though nothing about the leak changes."""
    entry = await start_at_home(hass, start, primary)
    with no_room_for_routes():
        await leak(hass, primary)
        await settled(hass)
        assert status_of(hass, "first") == "leaking"
    assert not (storage_folder / FILE).exists()
    if then == "later":
        await poll(hass, 61)
        assert (storage_folder / FILE).exists()
    hass.states.async_set(ROUTER, "unavailable")
    hass.data.pop("qbittorrent_resilient_homes", None)  # in memory only
    await again(hass, entry)
    await poll(hass)
    assert status_of(hass, "first") == "leaking"
    response = await add(hass, link(1))
    assert response["queued"][0]["reason"] == "leaking"
    assert not primary.adds

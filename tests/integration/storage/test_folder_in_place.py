"""A folder stands where a file of the queue should be, as a mount of a missing file leaves one."""

from pathlib import Path

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.qbittorrent_resilient.const import DOMAIN
from tests.support.actions import STORE, add, again, hashes, queue
from tests.support.common import Start, info_hash, instance, link
from tests.support.fake.server import FakeQBittorrent


@pytest.mark.parametrize(
    ("name", "kept"),
    [(STORE, [3]), (f"{STORE}.journal", [1, 2])],
    ids=["snapshot", "journal"],
)
async def test_set_aside(
    hass: HomeAssistant,
    storage_folder: Path,
    start: Start,
    primary: FakeQBittorrent,
    name: str,
    kept: list[int],
) -> None:
    """It is told once, what is in the other file is kept, and all goes on over restarts."""
    await primary.refuse()
    entry = await start(instance("first", primary))
    await add(hass, link(1), link(2))
    await again(hass, entry)  # which makes a snapshot of them
    await add(hass, link(3))
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert (storage_folder / f"{STORE}.journal").exists()
    (storage_folder / name).unlink()
    (storage_folder / name).mkdir()
    (storage_folder / name / "something").touch()
    for _ in range(2):
        assert await hass.config_entries.async_setup(entry.entry_id)
        assert entry.state is ConfigEntryState.LOADED
        assert hashes((await queue(hass))["queued"]) == [info_hash(number) for number in kept]
        (issue,) = [one for key, one in ir.async_get(hass).issues.items() if key[0] == DOMAIN]
        assert issue.translation_key == "queue_unreadable"
        assert await hass.config_entries.async_unload(entry.entry_id)
    (aside,) = storage_folder.glob(f"{name}.corrupt.*")  # noqa: ASYNC240
    assert (aside / "something").exists()
    await hass.config_entries.async_setup(entry.entry_id)
    assert hashes((await add(hass, link(4)))["queued"]) == [info_hash(4)]
    await again(hass, entry)
    expected = [info_hash(number) for number in (*kept, 4)]
    assert hashes((await queue(hass))["queued"]) == expected

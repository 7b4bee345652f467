"""Entries as earlier versions stored them, and as they are found after an upgrade."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest

from tests.support import flow
from tests.support.actions import add
from tests.support.common import Start, instance, link
from tests.support.fake.server import FakeQBittorrent

MISSING = "missing"


def stored(key: str, server: FakeQBittorrent, stopped: Any, **fields: Any) -> Any:
    """Return the subentry of a server with something stored for `stopped`."""
    defaults = {"category": "films", "save_path": "", "tags": ["a"], "stopped": stopped}
    if stopped is MISSING:
        del defaults["stopped"]
    return instance(key, server, defaults=defaults, **fields)


@pytest.mark.parametrize(
    ("stopped", "word", "starts"),
    [(False, "start", True), (True, "stop", False), (MISSING, MISSING, False)],
)
async def test_stopped_was_true_or_false(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    stopped: Any,
    word: str,
    starts: bool,
) -> None:
    """Until now, a server that starts nothing by itself started what was added."""
    primary.torrents.adds_stopped = True
    given = stored("first", primary, stopped)
    entry = await start(given, minor_version=1)
    assert entry.state is ConfigEntryState.LOADED
    assert (entry.version, entry.minor_version) == (1, 2)
    assert entry.subentries["first"].data == stored("first", primary, word)["data"]
    await add(hass, link(1))
    (torrent,) = primary.torrents
    assert (torrent.category, torrent.stopped) == ("films", not starts)


@pytest.mark.parametrize("version", [1, 2, 3])
async def test_words_stay(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, version: int
) -> None:
    """A version that comes later has stored it; this one can read it after a downgrade."""
    given = stored("first", primary, "stop")
    entry = await start(given, minor_version=version)
    assert entry.state is ConfigEntryState.LOADED
    assert entry.minor_version == max(version, 2)
    assert entry.subentries["first"].data == given["data"]
    await add(hass, link(1))
    assert [torrent.stopped for torrent in primary.torrents] == [True]


@pytest.mark.parametrize("stopped", [False, True])
async def test_true_or_false_that_was_stored_after_a_downgrade(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, stopped: bool
) -> None:
    """An earlier version leaves the version number as it is."""
    entry = await start(stored("first", primary, stopped))
    await add(hass, link(1))
    assert [torrent.stopped for torrent in primary.torrents] == [stopped]
    form = await entry.start_subentry_reconfigure_flow(hass, "first")
    assert flow.shown(form)["defaults"]["stopped"] == ("stop" if stopped else "start")


@pytest.mark.parametrize(
    "defaults",
    [
        None,
        "x",
        ["stopped"],
        {"stopped": 5},
        {"stopped": None},
        {"stopped": {"a": True}},
        {"tags": 5, "stopped": True},
    ],
    ids=ascii,
)
async def test_damaged_data_does_not_break_the_others(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    defaults: Any,
) -> None:
    entry = await start(
        instance("first", primary, defaults=defaults),
        stored("second", secondary, stopped=True, priority=2),
        minor_version=1,
    )
    assert entry.state is ConfigEntryState.LOADED
    assert entry.subentries["second"].data["defaults"]["stopped"] == "stop"
    response = await add(hass, link(1))
    assert [one["instance"] for one in response["added"]] == ["Second"]
    assert [torrent.stopped for torrent in secondary.torrents] == [True]

"""A folder, a socket or a link to nowhere in the place of a stored file is set aside, and told."""

from collections.abc import Callable
import os
from pathlib import Path
import socket

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest

from tests.support.actions import STORE, add
from tests.support.common import Start, instance, link
from tests.support.fake.server import FakeQBittorrent
from tests.support.repairs import confirm, only, told

KEPT = STORE.replace(".hub", ".kept")


def block(storage_folder: Path, name: str, put: Callable[[Path], None]) -> None:
    storage_folder.mkdir(exist_ok=True)
    put(storage_folder / name)


def set_aside(storage_folder: Path, name: str) -> Path:
    """Return what was set aside."""
    (aside,) = storage_folder.glob(f"{name}.corrupt.*")
    return aside


def folder(path: Path) -> None:
    path.mkdir()
    (path / "inside").write_text("x")


def a_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's address has few characters
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


def link_to_nowhere(path: Path) -> None:
    path.symlink_to("nowhere")


def link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize("put", [folder, a_socket, os.mkfifo, link_to_nowhere, link_to_itself])
@pytest.mark.parametrize("name", [STORE, f"{STORE}.journal", KEPT, f"{STORE}.links"])
async def test_in_the_way(
    hass: HomeAssistant,
    storage_folder: Path,
    start: Start,
    primary: FakeQBittorrent,
    put: Callable[[Path], None],
    name: str,
) -> None:
    """Told until it is confirmed; magnets are taken meanwhile, over a restart, too."""
    block(storage_folder, name, put)
    entry = await start(instance("first", primary))
    assert entry.state is ConfigEntryState.LOADED
    issue = only(hass)
    assert issue.translation_key == "queue_unreadable"
    aside = set_aside(storage_folder, name)
    assert issue.translation_placeholders == {"file": f".storage/{aside.name}"}
    assert (await add(hass, link(1)))["added"]
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert only(hass).issue_id == issue.issue_id
    await confirm(hass, only(hass))
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert told(hass) == []


@pytest.mark.parametrize("name", [f"{STORE}.routes", f"{STORE}.deliveries"])
async def test_in_the_way_of_a_memory(
    hass: HomeAssistant,
    storage_folder: Path,
    start: Start,
    primary: FakeQBittorrent,
    name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is no file of the queue: as where it is damaged, the log says so."""
    block(storage_folder, name, folder)
    entry = await start(instance("first", primary))
    assert entry.state is ConfigEntryState.LOADED
    assert "could not be read back" in caplog.text
    assert set_aside(storage_folder, name)

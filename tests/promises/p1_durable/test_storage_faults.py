"""A disk that is full, read-only or forbidden: nothing is half accepted, and nothing is lost."""

from collections.abc import Callable, Generator, Iterator
import contextlib
import os
from pathlib import Path
import subprocess
from unittest.mock import AsyncMock, patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.storage import Store
import pytest

from custom_components.qbittorrent_resilient import issues
from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.core.backoff import BACKOFF_SECONDS
from custom_components.qbittorrent_resilient.issues import IssueKind
from tests.support.actions import STORE, add, call, hashes, work
from tests.support.common import (
    FakeClock,
    Start,
    eventually,
    info_hash,
    instance,
    link,
    pass_time,
    settled,
)
from tests.support.fake.server import FakeQBittorrent

type Fault = Callable[[Path], contextlib.AbstractContextManager[None]]

NOBODY = 65534
"""The user id that owns nothing."""


@pytest.fixture
def small_disk(storage_folder: Path) -> Generator[Path]:
    """Put the storage folder on a disk of 256 KiB."""
    storage_folder.mkdir()
    _mount("-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", str(storage_folder))
    yield storage_folder
    subprocess.run(["umount", "-l", storage_folder], check=True)


def _mount(*options: str) -> None:
    done = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk may be mounted here: {done.stderr.strip()}")


@contextlib.contextmanager
def full(disk: Path) -> Iterator[None]:
    """Leave no byte free."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)
    yield
    ballast.unlink()


@contextlib.contextmanager
def read_only(disk: Path) -> Iterator[None]:
    _mount("-o", "remount,ro", str(disk))
    yield
    _mount("-o", "remount,rw", str(disk))


@contextlib.contextmanager
def forbidden(folder: Path) -> Iterator[None]:
    """Take away the right to look into the folder; root has to be nobody for that.

    Home Assistant's own files, which it writes after a second or more, are not written meanwhile.
    """
    mode = folder.stat().st_mode
    folder.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        with patch.object(Store, "_async_callback_delayed_write", AsyncMock()):
            yield
    finally:
        os.seteuid(user)
        folder.chmod(mode)


async def queued(hass: HomeAssistant) -> list[str]:
    return sorted(hashes((await call(hass, "get_queue"))["queued"]))


def files(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.name.startswith(STORE)}


@pytest.mark.parametrize("fault", [full, read_only, forbidden])
async def test_the_first_magnets(
    hass: HomeAssistant,
    small_disk: Path,
    start: Start,
    primary: FakeQBittorrent,
    fault: Fault,
) -> None:
    entry = await start(instance("first", primary))
    primary.record.clear()
    with fault(small_disk):
        for links in ([link(1)], [link(number) for number in range(1, 60)]):
            with pytest.raises(HomeAssistantError, match="could not be stored"):
                await add(hass, *links)
        assert await queued(hass) == []
        assert not primary.adds
    assert files(small_disk) == {}
    await primary.refuse()
    await add(hass, link(1))
    await hass.config_entries.async_reload(entry.entry_id)
    assert await queued(hass) == [info_hash(1)]


@pytest.mark.parametrize("fault", [read_only, forbidden])
async def test_few_magnets(
    hass: HomeAssistant,
    small_disk: Path,
    start: Start,
    primary: FakeQBittorrent,
    fault: Fault,
) -> None:
    entry = await start(instance("first", primary))
    await primary.refuse()
    await add(hass, link(1))
    await settled(hass)
    before = files(small_disk)
    primary.record.clear()
    with fault(small_disk):
        for links in ([link(2)], [link(number) for number in range(2, 60)]):
            with pytest.raises(HomeAssistantError, match="could not be stored"):
                await add(hass, *links)
        with pytest.raises(HomeAssistantError, match="could not be stored"):
            await call(hass, "remove_magnets", all=True)
        assert await queued(hass) == [info_hash(1)]
        assert not primary.adds
    assert files(small_disk) == before
    await add(hass, link(2))
    await hass.config_entries.async_reload(entry.entry_id)
    assert await queued(hass) == [info_hash(1), info_hash(2)]


@pytest.mark.parametrize("fault", [full, read_only, forbidden])
async def test_many_magnets(
    hass: HomeAssistant,
    small_disk: Path,
    start: Start,
    primary: FakeQBittorrent,
    fault: Fault,
) -> None:
    """The journal may still fit into a block that is taken already: what was accepted counts."""
    entry = await start(instance("first", primary))
    await primary.refuse()
    await add(hass, *(link(number) for number in range(1, 101)))
    await add(hass, link(101))
    await settled(hass)
    accepted = [info_hash(number) for number in range(1, 102)]
    assert set(files(small_disk)) == {STORE, f"{STORE}.journal"}
    with fault(small_disk):
        refused = 0
        for number in range(102, 140):
            try:
                await add(hass, link(number))
            except HomeAssistantError:
                refused += 1
            else:
                accepted.append(info_hash(number))
        assert refused > 20
        assert await queued(hass) == accepted
        if fault is not forbidden:  # which cannot even be read
            await hass.config_entries.async_reload(entry.entry_id)
            assert await queued(hass) == accepted
    await hass.config_entries.async_reload(entry.entry_id)
    assert await queued(hass) == accepted
    await add(hass, link(200))
    await hass.config_entries.async_reload(entry.entry_id)
    assert await queued(hass) == [*accepted, info_hash(200)]


@pytest.mark.parametrize("fault", [full, read_only])
async def test_delivery_waits_for_room(
    hass: HomeAssistant,
    small_disk: Path,
    start: Start,
    primary: FakeQBittorrent,
    clock: FakeClock,
    fault: Fault,
) -> None:
    """What cannot be noted is not sent; it goes on by itself once there is room.

    A note of 101 magnets fits into no block that the journal has taken already.
    """
    entry = await start(instance("first", primary))
    await primary.refuse()
    await add(hass, *(link(number) for number in range(1, 102)))
    await settled(hass)
    with fault(small_disk):
        await primary.listen()
        primary.record.clear()
        pass_time(hass, 31)
        await eventually(lambda: primary.requests_to("torrents/info"))
        await settled(hass)
        assert not primary.requests_to("torrents/add")
        assert len(await queued(hass)) == 101
    clock.tick(BACKOFF_SECONDS[0])
    await work(entry)
    await eventually(lambda: len(primary.hashes) == 101)


async def test_removal_where_nothing_can_be_deleted(
    hass: HomeAssistant, small_disk: Path, start: Start, primary: FakeQBittorrent
) -> None:
    """The files stay, which is told; of the entry, no repair stays."""
    entry = await start(instance("first", primary))
    await primary.refuse()
    await add(hass, link(1))
    (small_disk / f"{STORE}.routes").write_text("{}")
    issues.async_raise(hass, IssueKind.BANNED, about="first")
    with read_only(small_disk):
        await hass.config_entries.async_remove(entry.entry_id)
        await settled(hass)
    told = {issue_id for domain, issue_id in ir.async_get(hass).issues if domain == DOMAIN}
    assert f"{IssueKind.QUEUE_UNREADABLE}_{STORE}" in told
    assert f"{IssueKind.BANNED}_first" not in told
    assert (small_disk / STORE).exists()


async def test_start_is_tried_again(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    entry = await start(instance("first", primary))
    await primary.refuse()
    await add(hass, link(1))
    assert await hass.config_entries.async_unload(entry.entry_id)
    with forbidden(storage_folder):
        assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.reason
    assert entry.reason.startswith("The stored queue cannot be read")
    pass_time(hass, 10)
    await eventually(lambda: entry.state is ConfigEntryState.LOADED)
    assert await queued(hass) == [info_hash(1)]

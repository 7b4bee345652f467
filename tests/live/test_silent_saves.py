"""Servers that store resume data in SQLite: on a full disk they lose magnets and say nothing."""

from collections.abc import Iterator
import contextlib
from pathlib import Path
import subprocess

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.outbox.job import Stage
from custom_components.qbittorrent_resilient.core.reconciliation import settling
from tests.live.common import fields, health, log, set_up, until
from tests.live.conftest import start_real
from tests.support.actions import add, call
from tests.support.common import info_hash, link
from tests.support.fake.dialect import V4_5, V5_1, V5_3, V5_3_BACKPORT, Dialect
from tests.support.harness.qbittorrent import BUILDS, QBittorrent

DIALECTS = {"bookworm": V4_5, "trixie": V5_1, "forky": V5_3, "trixie-backports": V5_3_BACKPORT}
IN_SQLITE = {"BitTorrent/Session/ResumeDataStorageType": "SQLite"}


class SmallDisk:
    """A disk of 512 KiB that only those see who run in its namespace; it outlives the server."""

    def __init__(self, folder: Path) -> None:
        """Mount it at `folder`, or skip the test."""
        folder.mkdir(parents=True)
        mount = 'mount -t tmpfs -o size=512k none "$0" && echo mounted && exec sleep 1000'
        try:
            self._holder = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c", mount, str(folder)], stdout=subprocess.PIPE
            )
        except OSError:
            pytest.skip("there is no program to mount a disk apart from the others")
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != b"mounted\n":
            self.close()
            pytest.skip("this user may not mount a disk that can be filled")
        self.inside = ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt"]
        self._filler = Path(f"/proc/{self._holder.pid}/root{folder}/filler")

    def fill(self) -> None:
        """Leave no room."""
        with self._filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass

    def clear(self) -> None:
        """Have room again."""
        self._filler.unlink()

    def close(self) -> None:
        """Unmount it."""
        self._holder.kill()
        self._holder.wait()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Give a small disk for the data of a server whose profile is `tmp_path`."""
    disk = SmallDisk(tmp_path / "qBittorrent" / "data")
    yield disk
    disk.close()


@pytest.fixture(params=BUILDS, ids=BUILDS.values())
def server(
    request: pytest.FixtureRequest, tmp_path: Path, disk: SmallDisk, socket_enabled: None
) -> Iterator[QBittorrent]:
    """Give a server of each build on that disk."""
    server = start_real(tmp_path, request.param, settings=IN_SQLITE, wrapper=disk.inside)
    yield server
    server.kill()


def _dialect(server: QBittorrent) -> Dialect:
    return DIALECTS[server.suite]


def _numbered(*numbers: int) -> set[str]:
    return {info_hash(number) for number in numbers}


@pytest.mark.usefixtures("often")
async def test_lost_on_a_full_disk_is_delivered_again(
    hass: HomeAssistant, server: QBittorrent, disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "SETTLE_SECONDS", 2)
    silent = not _dialect(server).logs_failed_sqlite
    entry = await set_up(hass, fields(server))
    dispatcher = entry.runtime_data.dispatcher

    def kept() -> set[str]:
        return {job.info_hash for job in dispatcher.jobs(Stage.KEPT)}

    assert (await add(hass, link(1), stopped=True))["added"]
    if silent:  # saved, and yet nobody can know
        await until(lambda: kept() == _numbered(1))
    else:
        await until(lambda: not dispatcher.job(info_hash(1)))
    disk.fill()
    assert (await add(hass, link(2), link(3), stopped=True))["added"]
    await until(lambda: kept() == (_numbered(1, 2, 3) if silent else set()), seconds=8)
    told = [one for one in log(server) if "resume data" in one]
    assert bool(told) is not silent
    assert (await health(hass))["First"] == ("ok" if silent else "not_saving")
    assert await call(hass, "get_queue") == {"queued": [], "failed": []}

    disk.clear()
    server.stop()  # in order: it has room, and saves nothing of them all the same
    server.start()
    assert server.hashes() == _numbered(1)
    await until(lambda: server.hashes() == _numbered(1, 2, 3))
    await until(lambda: dispatcher.job(info_hash(1)) is None)
    if silent:
        await until(lambda: kept() == _numbered(2, 3))
        server.restart()
    await until(lambda: not any(dispatcher.job(one) for one in _numbered(2, 3)))
    assert server.hashes() == _numbered(1, 2, 3)
    assert await call(hass, "get_queue") == {"queued": [], "failed": []}

"""Servers that take magnets and cannot do anything with them."""

from collections.abc import Callable
from pathlib import Path
import subprocess

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.health import instance as core_health
from tests.live.common import delivered, fields, health, log, set_up, until, until_health
from tests.live.conftest import StartServer
from tests.support.actions import add
from tests.support.common import info_hash, link
from tests.support.harness.qbittorrent import VERSIONS, QBittorrent

each_version = pytest.mark.parametrize("suite", VERSIONS, ids=VERSIONS.values())

type Repair = Callable[[], object]


def _backup(server: QBittorrent) -> Path:
    return server.profile / "qBittorrent" / "data" / "BT_backup"


def _not_writable(start_server: StartServer, suite: str) -> tuple[QBittorrent, Repair]:
    """Start a server and put a file in the place of its folder for resume data."""
    server = start_server(suite)
    _backup(server).rename(server.profile / "aside")
    _backup(server).touch()

    def repair() -> None:
        _backup(server).unlink()
        (server.profile / "aside").rename(_backup(server))

    return server, repair


SMALL_DISK = """
folder="$HOME/qBittorrent/data/BT_backup"
mkdir -p "$folder" && mount -t tmpfs -o size=64k none "$folder" && exec "$@"
"""


def _disk_full(start_server: StartServer, suite: str) -> tuple[QBittorrent, Repair]:
    """Start a server whose resume data is on a small disk of its own, and fill that.

    The disk is mounted where only the server sees it. It goes when the server ends, and the next
    one is empty.
    """
    unshare = ["unshare", "--mount"]
    try:
        subprocess.run([*unshare, "mount", "-t", "tmpfs", "none", "/mnt"], check=True)
    except OSError, subprocess.CalledProcessError:
        pytest.skip("this user may not mount a disk that can be filled")
    server = start_server(suite, wrapper=[*unshare, "sh", "-c", SMALL_DISK, "sh"])
    inside = Path(f"/proc/{server.process.pid}/root{_backup(server)}")
    with (inside / "filler").open("wb", buffering=0) as filler:
        filler.write(bytes(1024 * 1024))  # as much of it as there is room for
    return server, lambda: None


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize(
    ("suite", "cause", "reason"),
    [
        ("bookworm", _not_writable, "Not a directory"),
        ("trixie", _not_writable, "Not a directory"),
        ("forky", _not_writable, "Not a directory"),
        ("forky", _disk_full, "No space left on device"),
    ],
    ids=["4.5.2", "5.1.0", "5.3.0", "5.3.0-disk-full"],
)
async def test_not_saving(
    hass: HomeAssistant,
    start_server: StartServer,
    suite: str,
    cause: Callable[[StartServer, str], tuple[QBittorrent, Repair]],
    reason: str,
) -> None:
    server, repair = cause(start_server, suite)
    await set_up(hass, fields(server))
    # Nothing shows before the first is lost.
    assert (await add(hass, link(1)))["added"][0]["status"] == "added"
    await until_health(hass, lambda statuses: statuses == {"First": "not_saving"}, seconds=5)
    assert any(reason in message for message in log(server))
    response = await add(hass, link(2))
    assert response["queued"][0]["reason"] == "not_saving"
    assert server.hashes() == {info_hash(1)}

    other = start_server("bookworm")
    await _add_instance(hass, other)
    await until(lambda: other.hashes() == {info_hash(2)})
    response = await add(hass, link(3))
    assert response["added"][0]["instance"] == "Second"
    assert await health(hass) == {"First": "not_saving", "Second": "ok"}
    assert server.hashes() == {info_hash(1)}

    server.kill()
    repair()
    server.start()
    assert server.hashes() == set()
    await until(lambda: server.hashes() == {info_hash(1)})
    await delivered(hass)
    assert await health(hass) == {"First": "ok", "Second": "ok"}
    assert other.hashes() == {info_hash(2), info_hash(3)}


async def _add_instance(hass: HomeAssistant, server: QBittorrent) -> None:
    """Set up one more instance, as a user does later."""
    (entry,) = hass.config_entries.async_entries("qbittorrent_resilient")
    form = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "instance"), context={"source": "user"}
    )
    await hass.config_entries.subentries.async_configure(form["flow_id"], fields(server, "Second"))
    await hass.async_block_till_done()


@each_version
async def test_disconnected(
    hass: HomeAssistant,
    start_server: StartServer,
    suite: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Bound to an interface that is missing. Behind a proxy it would not say so.
    unbound = {
        "BitTorrent/Session/Interface": "missing0",
        "BitTorrent/Session/InterfaceName": "missing0",
        "BitTorrent/Session/InterfaceAddress": "",
        "Network/Proxy/Type": "None",
    }
    server, other = start_server(suite, settings=unbound), start_server("bookworm")
    await set_up(hass, fields(server), fields(other, "Second"), patient=False)
    assert await health(hass) == {"First": "ok", "Second": "ok"}
    monkeypatch.setattr(core_health, "START_GRACE_SECONDS", 1.0)
    await until_health(hass, lambda statuses: statuses["First"] != "ok", seconds=5)
    assert await health(hass) == {"First": "disconnected", "Second": "ok"}
    assert (await add(hass, link(1), stopped=True))["added"][0]["instance"] == "Second"
    assert server.hashes() == set()
    other.kill()
    response = await add(hass, link(2), stopped=True)
    assert response["queued"][0]["reason"] == "disconnected"

    # Started anew it has its time, in which what waits goes there.
    monkeypatch.setattr(core_health, "START_GRACE_SECONDS", 30.0)
    server.restart()
    assert await health(hass) == {"First": "ok", "Second": "unreachable"}
    await until(lambda: server.hashes() == {info_hash(2)})

"""The blueprint for text helpers: cleared when what it held was accepted, and only then."""

from pathlib import Path
from urllib.parse import quote

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from tests.support.automations import Calls
from tests.support.blueprints import run
from tests.support.common import Start, eventually, info_hash, instance, link, settled
from tests.support.delivered import delivered, torrent
from tests.support.fake.server import FakeQBittorrent

TRACKED = link(1, name="A%27s%20%22B%22", extra="&tr=udp%3A%2F%2Ft.example%3A1")


@pytest.fixture
async def calls(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, tmp_path: Path
) -> Calls:
    await start(instance("first", primary))
    assert await async_setup_component(hass, "input_text", {"input_text": {"paste": {"max": 255}}})
    return await run(hass, tmp_path, "add_from_input_text", text="input_text.paste")


async def write(hass: HomeAssistant, value: str) -> None:
    data = {"entity_id": "input_text.paste", "value": value}
    await hass.services.async_call("input_text", "set_value", data, blocking=True)


def text(hass: HomeAssistant) -> str:
    state = hass.states.get("input_text.paste")
    assert state
    return state.state


@pytest.mark.parametrize(
    "written",
    [
        TRACKED,
        TRACKED.replace("magnet:", "MAGNET:"),
        TRACKED.replace("&", "&amp;"),
        TRACKED.replace("magnet:?", "magnet://?"),
        quote(link(1, name="A%27s%20%22B%22"), safe=""),
        f"  {TRACKED} ",
        f"'{TRACKED}'",
        f'"{TRACKED}"',
        f"['{TRACKED}']",
        f"<{TRACKED}>",
        f"Look at {TRACKED}, it is new",
    ],
)
@pytest.mark.usefixtures("calls")
async def test_cleared(hass: HomeAssistant, primary: FakeQBittorrent, written: str) -> None:
    await write(hass, written)
    await settled(hass)
    assert text(hass) == ""
    ((digits, name, trackers),) = delivered(primary)
    assert (digits, name) == torrent(TRACKED)[:2]
    assert trackers == (torrent(TRACKED)[2] if "tr" in written else ())


@pytest.mark.usefixtures("calls")
async def test_several(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    await write(hass, f"{link(1)} {link(2)} {link(2)}")
    await settled(hass)
    assert (text(hass), primary.hashes) == ("", {info_hash(1), info_hash(2)})


@pytest.mark.parametrize(
    "written",
    [
        "magnet:?bogus",
        "magnets, please",
        "http://x.example/a.torrent",
        f"magnet:?xt=urn:btih:{info_hash(1)[1:]}&dn=cut",
    ],
)
@pytest.mark.usefixtures("calls")
async def test_not_cleared(hass: HomeAssistant, primary: FakeQBittorrent, written: str) -> None:
    await write(hass, written)
    await settled(hass)
    assert (text(hass), primary.hashes) == (written, set())


@pytest.mark.usefixtures("calls")
async def test_what_is_no_link_stays_to_be_mended(
    hass: HomeAssistant, primary: FakeQBittorrent
) -> None:
    written = f"{link(1)} magnet:?xt=urn:btih:{info_hash(2)[1:]}"
    await write(hass, written)
    await settled(hass)
    assert (text(hass), primary.hashes) == (written, {info_hash(1)})


@pytest.mark.usefixtures("calls")
async def test_what_is_written_meanwhile_is_not_lost(
    hass: HomeAssistant, primary: FakeQBittorrent
) -> None:
    """Neither other words, nor another link: that is added, too."""
    primary.faults.delay("torrents/add", 0.3)
    await write(hass, link(1))
    await eventually(lambda: primary.requests_to("torrents/add"))
    await write(hass, link(2))
    await write(hass, "something else")
    await settled(hass)
    assert text(hass) == "something else"
    assert primary.hashes == {info_hash(1), info_hash(2)}

"""Names in notifications: nothing that a phone or a page takes for markup, and not too long."""

from pathlib import Path
import re
from urllib.parse import quote

from homeassistant.core import HomeAssistant
import pytest

from tests.support.actions import add, call
from tests.support.automations import Calls
from tests.support.blueprints import run, texts
from tests.support.common import Start, eventually, info_hash, instance, link, settled
from tests.support.fake.server import FakeQBittorrent
from tests.support.hostile import NAMES, hostile_links, servers

PUSHED_BYTES = 4096
"""What Google and Apple take for one message to a phone."""


def harmless(text: str) -> bool:
    """Tell whether neither HTML nor Markdown is in a text that begins with words of ours."""
    markup = (
        r"[<>`*~|@\\\n]|://|www\.|\](?=[(\[:])|&#?\w+;|(?<![^\W_])_|_(?![^\W_])"
        "|[\u200b-\u200f\u202a-\u202e\u2066-\u2069]"
    )
    return not re.search(markup, text)


@pytest.mark.usefixtures("clock")
async def test_notification_of_failed_ones(
    hass: HomeAssistant,
    start: Start,
    phone: Calls,
    primary: FakeQBittorrent,
    tmp_path: Path,
) -> None:
    await start(instance("first", primary))
    calls = await run(hass, tmp_path, "notify_failed")
    for some in (slice(0, 10), slice(10, None)):
        primary.torrents.never_listed = {info_hash(number) for number in range(1, 100)}
        await add(hass, *hostile_links()[some])
        await settled(hass)
    assert len(calls) == len(phone) == 2
    for text in texts(calls):
        assert harmless(text)
    for one in phone:
        assert harmless(one.data["message"])
        assert len(str(one.data).encode()) < PUSHED_BYTES
    assert "picture, " in texts(calls)[0]
    assert "{{ states('sensor.time') }} {% raw %} template" in texts(calls)[0]
    honest = "[GROUP] Some_Name_2024 (1080p) - A&B + 100 %! #1"
    await add(hass, link(50, name=quote(honest)))
    await settled(hass)
    assert texts(calls)[2] == f"1 magnet failed: Reason: Refused by the server. {honest}"
    await add(hass, *(link(60 + n, name=quote(chr(0x1F600 + n) * 250)) for n in range(10)))
    await settled(hass)
    assert len(str(phone[3].data).encode()) < PUSHED_BYTES


async def test_notification_of_servers(
    hass: HomeAssistant, start: Start, phone: Calls, primary: FakeQBittorrent, tmp_path: Path
) -> None:
    await start(*servers(primary, *NAMES))
    await settled(hass)
    await run(hass, tmp_path, "notify_health", minutes=0)
    await primary.refuse()
    await call(hass, "check_health")
    await eventually(lambda: len(phone) >= len(NAMES))
    assert len(phone) == len(NAMES)
    for one in phone:
        assert harmless(one.data["title"])
        assert len(str(one.data).encode()) < PUSHED_BYTES

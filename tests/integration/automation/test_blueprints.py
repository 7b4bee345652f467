"""The blueprints: really imported, and run as automations with a real integration."""

import json
from pathlib import Path
from typing import Any

from homeassistant.components.blueprint.importer import fetch_blueprint_from_url
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.util import yaml as yaml_util
import pytest
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker

from custom_components.qbittorrent_resilient.core.events import DeliveryEvent, EventType
from tests.support.actions import add, call, check
from tests.support.automations import Calls
from tests.support.blueprints import FOLDER, ROOT, run, run_with_defaults, runs, texts, timed
from tests.support.common import (
    TARGET,
    FakeVpn,
    Start,
    eventually,
    info_hash,
    instance,
    link,
    looked,
    pass_time,
    poll,
    settled,
)
from tests.support.fake.server import FakeQBittorrent

NAMES = (
    "add_from_feed",
    "add_from_input_text",
    "add_from_webhook",
    "notify_failed",
    "notify_health",
    "notify_queue",
)
QUEUED = "sensor.qbittorrent_resilient_queued_magnets"
RETRY = "QBITTORRENT_RESILIENT_RETRY"


def test_all_are_tested() -> None:
    assert sorted(one.stem for one in FOLDER.iterdir()) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
async def test_import(hass: HomeAssistant, aioclient_mock: AiohttpClientMocker, name: str) -> None:
    """Home Assistant's importer takes it from its own source URL, which is where it is."""
    text = (FOLDER / f"{name}.yaml").read_text()
    parsed: Any = yaml_util.parse_yaml(text)
    source = parsed["blueprint"]["source_url"]
    manifest = ROOT / "custom_components" / "qbittorrent_resilient" / "manifest.json"
    documentation = json.loads(manifest.read_text())["documentation"]
    assert source == f"{documentation}/blob/main/{(FOLDER / name).relative_to(ROOT)}.yaml"
    repository = documentation.removeprefix("https://github.com/")
    path = (FOLDER / name).relative_to(ROOT)
    aioclient_mock.get(
        f"https://raw.githubusercontent.com/{repository}/main/{path}.yaml", text=text
    )
    imported = await fetch_blueprint_from_url(hass, source)
    blueprint = imported.blueprint
    assert blueprint.domain == "automation"
    assert blueprint.validate() is None
    assert blueprint.metadata["homeassistant"]["min_version"] == "2026.10.0"
    assert blueprint.metadata["name"].startswith("qBittorrent Resilient: ")
    assert blueprint.metadata["description"]
    for described in blueprint.inputs.values():
        assert described["name"]
        assert described["description"]
        assert described["selector"]
    assert yaml_util.extract_inputs(blueprint.data) == set(blueprint.inputs)


async def test_queue_waits(
    hass: HomeAssistant, start: Start, phone: Calls, primary: FakeQBittorrent, tmp_path: Path
) -> None:
    """Told once, with a button; the notification goes away with the queue."""
    await start(instance("first", primary), options={"scan_interval": 3600})
    calls = await run(hass, tmp_path, "notify_queue", minutes=10)
    await primary.refuse()
    await add(hass, link(1))
    await settled(hass)
    assert not calls
    await poll(hass, 601)
    assert texts(calls) == ["1 magnet waits: Torrent 1. First: Unreachable."]
    (note,) = phone
    assert note.data["title"] == "1 magnet waits"
    assert [one["action"] for one in note.data["data"]["actions"]] == [RETRY]
    phone.clear()
    hass.bus.async_fire("mobile_app_notification_action", {"action": RETRY})
    await settled(hass)
    (note,) = phone
    assert note.data["message"] == "0 delivered, 1 still waiting, 0 failed."
    assert note.data["data"]["actions"]
    phone.clear()
    await primary.listen()
    hass.bus.async_fire("mobile_app_notification_action", {"action": RETRY})
    await settled(hass)
    assert primary.hashes == {info_hash(1)}
    found = {one.data["message"]: one.data["data"] for one in phone}
    tag = {"tag": "qbittorrent_resilient_queue"}
    assert found == {
        "clear_notification": tag,
        "1 delivered, 0 still waiting, 0 failed.": tag,
    }
    assert len(calls) == 1


async def test_queue_waits_since_before_a_start(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, tmp_path: Path
) -> None:
    await primary.refuse()
    await start(instance("first", primary), options={"scan_interval": 3600})
    await add(hass, link(1), link(2))
    hass.set_state(CoreState.starting)
    calls = await run(hass, tmp_path, "notify_queue", minutes=10)
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await eventually(lambda: hass.states.async_all("automation")[0].attributes["current"])
    assert not calls
    pass_time(hass, 601)
    await eventually(lambda: calls)
    assert texts(calls) == ["2 magnets wait: Torrent 1, Torrent 2. First: Unreachable."]


async def test_queue_waits_since_before_a_reload(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, tmp_path: Path
) -> None:
    """A reload forgets for how long, so it starts over; two reloads are told of once."""
    entry = await start(instance("first", primary), options={"scan_interval": 3600})
    calls = await run(hass, tmp_path, "notify_queue", minutes=10)
    await primary.refuse()
    await add(hass, link(1))
    for _ in range(2):
        assert await hass.config_entries.async_reload(entry.entry_id)
        await eventually(lambda: timed(hass, 10) == 1)
    pass_time(hass, 601)
    await eventually(lambda: not runs(hass))
    assert texts(calls) == ["1 magnet waits: Torrent 1. First: Unreachable."]
    pass_time(hass, 700)
    await looked()
    assert (len(calls), runs(hass)) == (1, 0)


async def test_queue_that_is_empty_after_a_reload(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, tmp_path: Path
) -> None:
    entry = await start(instance("first", primary), options={"scan_interval": 3600})
    calls = await run(hass, tmp_path, "notify_queue", minutes=10)
    await primary.refuse()
    await add(hass, link(1))
    assert await hass.config_entries.async_reload(entry.entry_id)
    await eventually(lambda: runs(hass) == 1)
    await call(hass, "remove_magnets", all=True)
    await eventually(lambda: not runs(hass))
    assert not calls


async def test_queue_is_told_of_without_a_phone(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, tmp_path: Path
) -> None:
    """Other events of phones mean nothing, either."""
    await start(instance("first", primary), options={"scan_interval": 3600})
    calls = await run(hass, tmp_path, "notify_queue", minutes=0)
    await primary.refuse()
    await add(hass, link(1))
    await settled(hass)
    assert len(calls) == 1
    await primary.listen()
    hass.bus.async_fire("mobile_app_notification_action", {"action": "OTHER"})
    await settled(hass)
    assert primary.hashes == set()


@pytest.mark.usefixtures("clock")
async def test_failed(
    hass: HomeAssistant, start: Start, phone: Calls, primary: FakeQBittorrent, tmp_path: Path
) -> None:
    await start(instance("first", primary))
    calls = await run(hass, tmp_path, "notify_failed")
    primary.torrents.never_listed = {info_hash(number) for number in range(2, 14)}
    await add(hass, link(1), link(2))
    await settled(hass)
    assert texts(calls) == ["1 magnet failed: Reason: Refused by the server. Torrent 2"]
    assert phone[0].data["message"] == "Reason: Refused by the server. Torrent 2"
    await add(hass, *(link(number) for number in range(3, 14)))
    await settled(hass)
    assert texts(calls)[1].startswith(
        "11 magnets failed: Reason: Refused by the server. Torrent 3, "
    )
    assert texts(calls)[1].endswith("Torrent 12 and more")


@pytest.mark.usefixtures("clock")
async def test_failed_ones_are_tried_again_from_a_phone(
    hass: HomeAssistant, start: Start, phone: Calls, primary: FakeQBittorrent, tmp_path: Path
) -> None:
    await start(instance("first", primary))
    calls = await run(hass, tmp_path, "notify_failed")
    primary.torrents.never_listed = {info_hash(1)}
    await add(hass, link(1))
    await settled(hass)
    (note,) = phone
    (button,) = note.data["data"]["actions"]
    primary.torrents.never_listed = set()
    hass.bus.async_fire("mobile_app_notification_action", {"action": button["action"]})
    await eventually(lambda: primary.hashes == {info_hash(1)})
    assert len(calls) == 1


async def test_duplicated(
    hass: HomeAssistant, start: Start, phone: Calls, primary: FakeQBittorrent, tmp_path: Path
) -> None:
    entry = await start(instance("first", primary))
    calls = await run(hass, tmp_path, "notify_failed")
    news = DeliveryEvent(EventType.DUPLICATE, 2, names=("One", "Two"), instance="First")
    entry.runtime_data.dispatcher._listeners.notify(news)
    await settled(hass)
    assert texts(calls) == ["2 magnets are on two servers: Also on First. One, Two"]
    assert "actions" not in phone[0].data["data"]


NOTES = "persistent_notification"


def shown(hass: HomeAssistant) -> list[tuple[str, str]]:
    """Return title and message of each notification that Home Assistant itself shows."""
    notes = hass.data.get(NOTES, {})
    return [(one["title"], one["message"]) for one in notes.values()]


@pytest.mark.usefixtures("clock")
async def test_told_in_home_assistant_by_default(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, tmp_path: Path
) -> None:
    """Without a phone and an action; every failure stays to be read."""
    await start(instance("first", primary))
    await run_with_defaults(hass, tmp_path, "notify_failed")
    primary.torrents.never_listed = {info_hash(number) for number in range(1, 10)}
    await add(hass, link(1, name="a*b*"))
    await add(hass, link(2))
    await settled(hass)
    assert shown(hass) == [
        ("1 magnet failed", "Reason: Refused by the server. a∗b∗"),
        ("1 magnet failed", "Reason: Refused by the server. Torrent 2"),
    ]


async def test_queue_is_told_of_in_home_assistant_by_default(
    hass: HomeAssistant,
    start: Start,
    vpn: FakeVpn,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    tmp_path: Path,
) -> None:
    """Which, where and why, in words; the notification goes away with the queue."""
    await start(
        instance("seed_box*", primary, requires_vpn=True),
        instance("second", secondary, priority=2),
        targets=(TARGET,),
        options={"scan_interval": 3600},
    )
    await run_with_defaults(hass, tmp_path, "notify_queue", minutes=0)
    await secondary.refuse()
    vpn.up = False
    await check(hass)
    await check(hass)
    await check(hass)
    await add(hass, link(1, name="<b>One</b>"), *(link(number) for number in range(2, 13)))
    await settled(hass)
    ((title, message),) = shown(hass)
    assert title == "12 magnets wait"
    assert message.startswith("‹b›One‹/b›, Torrent 2, Torrent 3, ")
    assert message.endswith(", Torrent 10 and more. Second: Unreachable; Seed_box∗: VPN down.")
    vpn.up = True
    await check(hass)
    await check(hass)
    await eventually(lambda: len(primary.hashes) == 12)
    await settled(hass)
    assert shown(hass) == []


async def test_nothing_in_home_assistant_with_a_phone(
    hass: HomeAssistant, start: Start, phone: Calls, primary: FakeQBittorrent, tmp_path: Path
) -> None:
    await start(instance("first", primary), options={"scan_interval": 3600})
    await run_with_defaults(hass, tmp_path, "notify_queue", minutes=0)
    await primary.refuse()
    await add(hass, link(1))
    await settled(hass)
    assert len(phone) == 1
    assert shown(hass) == []


@pytest.mark.parametrize("name", ["notify_failed", "notify_queue"])
def test_words_are_those_of_the_integration(name: str) -> None:
    """A blueprint cannot ask for the text of a reason that no entity has at the moment."""
    parsed: Any = yaml_util.parse_yaml((FOLDER / f"{name}.yaml").read_text())
    words = dict(parsed["variables"]["words"])
    assert words.pop("ok", "Waits for its turn") == "Waits for its turn"
    file = ROOT / "custom_components" / "qbittorrent_resilient" / "translations" / "en.json"
    texts: Any = json.loads(file.read_text())
    known = texts["entity"]["event"]["magnets"]["state_attributes"]["reason"]["state"]
    assert words == known

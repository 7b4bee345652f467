"""The blueprints: really imported, and run as automations with a real integration."""

import asyncio
import json
from pathlib import Path
from typing import Any

from homeassistant.components.automation.helpers import async_get_blueprints
from homeassistant.components.blueprint.importer import fetch_blueprint_from_url
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.components.blueprint.schemas import BLUEPRINT_SCHEMA
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import yaml as yaml_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker

from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.core.news import Happening, News
from tests.actions import add, call
from tests.automations import Calls
from tests.common import (
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
from tests.fake.server import FakeQBittorrent

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "blueprints" / "automation" / "qbittorrent_resilient"
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
TOLD = {"action": "test.fired", "data": {"text": "{{ title }}: {{ message }}"}}


@pytest.fixture
def phone(hass: HomeAssistant, device_registry: dr.DeviceRegistry) -> Calls:
    """Return what a phone is sent."""
    entry = MockConfigEntry(domain="mobile_app")
    entry.add_to_hass(hass)
    device_registry.async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={("mobile_app", "1")}, name="My Phone"
    )
    calls: Calls = async_mock_service(hass, "notify", "mobile_app_my_phone")
    return calls


def phone_id(hass: HomeAssistant) -> str:
    (entry,) = hass.config_entries.async_entries("mobile_app")
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return device.id


async def run(hass: HomeAssistant, folder: Path, name: str, **inputs: Any) -> Calls:
    """Import a blueprint and set an automation up with it; return what it tells by its actions."""
    hass.config.config_dir = str(folder)
    calls: Calls = async_mock_service(hass, "test", "fired")
    data: Any = yaml_util.parse_yaml((FOLDER / f"{name}.yaml").read_text())
    blueprint = Blueprint(data, expected_domain="automation", schema=BLUEPRINT_SCHEMA)
    await async_get_blueprints(hass).async_add_blueprint(blueprint, f"qbr/{name}.yaml")
    if hass.config_entries.async_entries("mobile_app"):
        inputs |= {"phones": [phone_id(hass)]}
    use = {"path": f"qbr/{name}.yaml", "input": {"actions": [TOLD]} | inputs}
    config = {"alias": "Under test", "use_blueprint": use}
    assert await async_setup_component(hass, "automation", {"automation": [config]})
    await hass.async_block_till_done()
    assert [one.state for one in hass.states.async_all("automation")] == ["on"]
    return calls


async def rounds(hass: HomeAssistant, vpn: FakeVpn, count: int, *, up: bool) -> None:
    """Take the VPN up or down for some rounds; what an automation waits for goes on waiting."""
    vpn.up = up
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    for _ in range(count):
        await eventually(lambda: entry.runtime_data.vpn._unsub_refresh)  # the next one is planned
        before = vpn.rounds
        pass_time(hass, 31)
        await eventually(lambda before=before: vpn.rounds > before)  # type: ignore[misc]
        await looked()  # a request that is still out would be over its time in the next round


def runs(hass: HomeAssistant) -> int:
    """Return how many runs of the automation wait for something."""
    (automation,) = hass.states.async_all("automation")
    current: int = automation.attributes["current"]
    return current


def timed(hass: HomeAssistant, minutes: int) -> int:
    """Return how many runs wait for so long; checks come sooner, every 30 s."""
    timers: list[asyncio.TimerHandle] = hass.loop._scheduled  # type: ignore[attr-defined]
    ends = [one.when() - hass.loop.time() for one in timers if not one.cancelled()]
    return sum(60 * minutes - 25 < end <= 60 * minutes for end in ends)


def texts(calls: Calls) -> list[str]:
    return [one.data["text"] for one in calls]


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
    assert texts(calls) == ["1 magnet waits: No server takes them now: unreachable."]
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
    assert texts(calls) == ["2 magnets wait: No server takes them now: unreachable."]


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
    assert texts(calls) == ["1 magnet waits: No server takes them now: unreachable."]
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
    news = News(Happening.DUPLICATE, 2, names=("One", "Two"), instance="First")
    entry.runtime_data.courier.listener(news)
    await settled(hass)
    assert texts(calls) == ["2 magnets are on two servers: Also on First. One, Two"]
    assert "actions" not in phone[0].data["data"]

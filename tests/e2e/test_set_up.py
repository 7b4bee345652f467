"""From "Add integration" to the finished device pages, through the dialogs."""

from playwright.async_api import expect
import pytest

from tests.support.harness.home_assistant import DOMAIN
from tools.demo.magnets import ONE

from .fixtures import House
from .user import INTEGRATION, User
from .words import word

pytestmark = pytest.mark.timeout(90)


async def test_from_add_integration_to_the_device_pages(house: House, user: User) -> None:
    await user.open("/config/integrations/dashboard")
    await user.page.get_by_role("button", name="Add integration").click()
    await user.titled("Set up a new integration")
    await user.dialog.locator("input").fill("qbittorrent resil")
    await user.choose("qBittorrent Resilient")

    await user.titled(word("config.step.user.title"))
    await user.look()
    await user.add_line(word("config.step.user.data.vpn_targets"), house.vpn.target)
    await user.look("set-up-vpn")
    await user.submit()

    await user.titled(word("config.step.instance.title"))
    await user.look()
    await user.choose(word("config.step.instance.sections.defaults.name"))
    await expect(user.field("category")).to_be_visible()
    await user.look()
    await user.enter(house.seedbox, "Seedbox", password="wrong")
    await user.field("name").evaluate("(field) => field.scrollIntoView({block: 'center'})")
    await user.keep("set-up-server")
    await user.submit()
    await user.fault(word("config.error.invalid_auth"))
    await user.look()
    for name, value in {"name": "Seedbox", "url": house.seedbox.url, "password": "wrong"}.items():
        assert await user.field(name).input_value() == value
    await user.field("password").fill(house.seedbox.password)
    await user.submit()

    await user.titled(word("config.step.more.title"))
    await expect(user.dialog).to_contain_text("Seedbox is bound to")
    await user.look()
    await user.choose(word("config.step.more.menu_options.instance"))
    await user.titled(word("config.step.instance.title"))
    await user.look()
    assert await user.dialog.locator("input[type=number]").input_value() == "2"
    await user.enter(house.attic, "Attic")
    await user.switch(word("config.step.instance.data.requires_vpn")).click()
    await user.submit()
    await user.titled(word("config.step.more.title"))
    await expect(user.dialog).to_contain_text("Seedbox, Attic")
    await user.choose(word("config.step.more.menu_options.finish"))
    await user.press("Skip and finish")
    await user.no_dialog()

    assert await house.health() == {"Seedbox": "ok", "Attic": "ok"}
    await user.open(INTEGRATION)
    await expect(user.page.locator("ha-config-sub-entry-row")).to_have_count(2)
    await user.keep("integration")
    await look_at_devices(house, user)


async def look_at_devices(house: House, user: User) -> None:
    """Look at each device page: entities, model, version and link."""
    (entry,) = await house.home.api.entries(DOMAIN)
    devices = await house.home.api.command("config/device_registry/list")
    mine = {one["name"]: one["id"] for one in devices if entry["entry_id"] in one["config_entries"]}
    assert set(mine) == {"qBittorrent Resilient", "Seedbox", "Attic"}

    for name, server in (("Seedbox", house.seedbox), ("Attic", house.attic)):
        await user.open(f"/config/devices/device/{mine[name]}")
        card = user.page.locator("ha-device-info-card")
        await expect(card).to_contain_text("qBittorrent server")
        await expect(card).to_contain_text(f"Version {server.version}")
        link = user.page.get_by_role("link", name="Visit")
        await expect(link).to_have_attribute("href", server.url)
        entities = user.page.locator("ha-device-entities-card").first
        await expect(entities).to_contain_text(word("entity.binary_sensor.instance.state.on"))
        await expect(entities).to_contain_text(word("entity.sensor.status.name"))
    await house.call("add_magnets", {"magnets": [ONE.link]})
    await user.open(f"/config/devices/device/{mine['qBittorrent Resilient']}")
    page = user.page.locator("ha-config-device-page")
    for key in (
        "binary_sensor.vpn",
        "sensor.active_instance",
        "sensor.queued_magnets",
        "sensor.delivered_magnets",
        "sensor.last_delivery",
        "button.retry_queue",
        "button.check_health",
    ):
        text = word(f"entity.{key}.name")
        await expect(page.get_by_text(text, exact=True).first).to_be_visible()
    added = word("entity.event.magnets.state_attributes.event_type.state.added")
    await expect(page.locator("ha-logbook")).to_contain_text(added)
    await expect(page.locator("ha-logbook")).to_contain_text("added 1 magnet to Seedbox")
    await user.keep("device")

"""Options, and changing what was set up: the VPN targets and a server with its defaults."""

from playwright.async_api import expect
import pytest

from tests.support.gluetun import FakeGluetun
from tests.support.harness.home_assistant import DOMAIN

from .fixtures import House
from .user import INTEGRATION, User
from .words import RECONFIGURED, word

pytestmark = pytest.mark.timeout(90)

DEFAULTS = word("config_subentries.instance.step.reconfigure.sections.defaults.name")
CHANGE = word("config_subentries.instance.initiate_flow.reconfigure")
CHANGED = word("config_subentries.instance.abort.reconfigure_successful", found="").strip()
GLUETUN = word("config_subentries.instance.step.reconfigure.sections.gluetun.name")
NOBODY = "nobody.invalid"
TARGETS = word("config.step.reconfigure.data.vpn_targets")
TAGS = word("config_subentries.instance.step.reconfigure.sections.defaults.data.tags")


async def open_server(user: User, name: str) -> None:
    """Open the dialog that changes a server."""
    await user.open(INTEGRATION)
    row = user.page.locator("ha-config-sub-entry-row").filter(has_text=name)
    await row.get_by_role(
        "button", name=word("config_subentries.instance.initiate_flow.reconfigure")
    ).click()
    await user.titled(word("config_subentries.instance.step.reconfigure.title"))
    await expect(user.field("name")).to_have_value(name)


async def test_options(ready: House, user: User) -> None:
    await user.open(INTEGRATION)
    row = user.page.locator("ha-config-entry-row")
    await row.get_by_role("button", name="Configure", exact=True).click()
    await user.titled(word("options.step.init.title"))
    await user.look()
    numbers = user.dialog.locator("input[type=number]")
    values = [await numbers.nth(place).input_value() for place in range(await numbers.count())]
    assert values == ["30", "3", "2", "0", "21"]
    await numbers.first.fill("10")
    await user.submit()
    await user.titled("Success")
    await user.look()
    await user.press("Finish")
    await user.no_dialog()
    (entry,) = await ready.home.api.entries(DOMAIN)
    flow = await ready.home.api.options_flow(entry["entry_id"])
    assert flow.form["scan_interval"] == 10


async def test_vpn_targets(ready: House, user: User) -> None:
    await user.open(INTEGRATION)
    row = user.page.locator("ha-config-entry-row")
    await row.get_by_role("button", name="Menu").first.click()
    await row.get_by_text("Reconfigure", exact=True).first.click()
    await user.titled(word("config.step.reconfigure.title"))
    await expect(user.dialog.locator("ha-input-multi input")).to_have_value(ready.vpn.target)
    await user.look()
    await user.add_line(TARGETS, "http://example.com/")
    await user.submit()
    await expect(user.dialog).to_contain_text(word("config.error.invalid_target"))
    await user.look()
    lines = user.dialog.locator("ha-input-multi input")
    await expect(lines).to_have_count(2)
    await lines.last.fill("localhost")
    await user.submit()
    await expect(user.dialog).to_contain_text(word("config.error.target_is_local"))
    await lines.last.fill("127.0.0.1:x")
    await user.submit()
    await expect(lines.last).to_have_value("127.0.0.1:x")
    await lines.last.fill(NOBODY)
    await user.submit()
    await user.titled(word("config.step.targets.title"))
    await expect(user.dialog).to_contain_text(f"{ready.vpn.target} answers.")
    await user.look()
    await user.choose(word("config.step.targets.menu_options.reconfigure"))
    await expect(lines.last).to_have_value(NOBODY)
    await user.submit()
    await user.choose(word("config.step.targets.menu_options.use_anyway"))
    await expect(user.dialog).to_contain_text(RECONFIGURED)
    await user.look()
    await user.close()


async def test_a_server_with_its_defaults(ready: House, user: User) -> None:
    await open_server(user, "Seedbox")
    await user.look()
    await user.choose(DEFAULTS)
    await user.field("category").fill("linux")
    await user.add_line(TAGS, "home")
    await user.look()
    await user.submit()
    await expect(user.dialog).to_contain_text(CHANGED)
    await user.look()
    await user.close()


async def test_a_server_behind_gluetun(ready: House, user: User) -> None:
    async with FakeGluetun() as gluetun:
        gluetun.api_key = "key"
        await open_server(user, "Seedbox")
        await user.choose(GLUETUN)
        await user.field("gluetun_url").fill("gluetun?key")
        await user.look()
        await user.submit()
        hint = word("selector.url_hint.options.query")
        await user.fault(word("config_subentries.instance.error.invalid_url", hint=hint))
        await user.look()
        await user.choose(GLUETUN)
        await user.field("gluetun_url").fill(gluetun.url)
        await user.submit()
        await user.fault(word("config_subentries.instance.error.gluetun_auth"))
        await user.look()
        await user.choose(GLUETUN)
        await user.field("gluetun_api_key").fill("key")
        await user.submit()
        await expect(user.dialog).to_contain_text("Seedbox is behind gluetun.")
        await user.look()
        await user.close()
        await open_server(user, "Seedbox")
        await user.choose(GLUETUN)
        await expect(user.field("gluetun_url")).to_have_value(gluetun.url)
        await user.field("gluetun_url").fill("")
        await user.submit()
        await expect(user.dialog).to_contain_text(CHANGED)


async def test_what_is_secret_is_not_shown_again(ready: House, user: User) -> None:
    """An empty field keeps the password; the form says what it reached."""
    await open_server(user, "Seedbox")
    await expect(user.field("password")).to_have_value("")
    await expect(user.dialog).to_contain_text("The stored password is never shown.")
    await user.look()
    await user.field("url").fill(f" {ready.seedbox.url.removeprefix('http://')}/#/torrents ")
    await user.submit()
    await expect(user.dialog).to_contain_text(CHANGED)
    version = ready.seedbox.version.removeprefix("v")
    await expect(user.dialog).to_contain_text(f"Connected: qBittorrent {version}.")
    await user.look()
    await user.close()
    await open_server(user, "Seedbox")
    await expect(user.field("url")).to_have_value(ready.seedbox.url)
    await user.field("name").fill("ATTIC")
    await user.submit()
    error = word("config_subentries.instance.error.already_configured", servers="Attic")
    await expect(user.dialog).to_contain_text(error)
    await user.look()


async def test_defaults_are_shown_when_the_server_is_changed_again(
    ready: House, user: User
) -> None:
    await store_defaults(ready)
    await open_server(user, "Attic")
    await user.choose(DEFAULTS)
    await expect(user.field("category")).to_have_value("kept", timeout=3000)


async def test_defaults_stay_after_a_change_of_something_else(ready: House, user: User) -> None:
    await store_defaults(ready)
    await open_server(user, "Attic")
    await user.submit()
    await expect(user.dialog).to_contain_text(CHANGED)
    assert (await stored(ready))["category"] == "kept"


async def test_defaults_stay_after_an_error(ready: House, user: User) -> None:
    await open_server(user, "Attic")
    await user.choose(DEFAULTS)
    await user.field("category").fill("entered")
    await user.field("password").fill("wrong")
    await user.submit()
    await user.fault(word("config_subentries.instance.error.invalid_auth"))
    await user.choose(DEFAULTS)
    await expect(user.field("category")).to_have_value("entered", timeout=3000)


async def store_defaults(house: House) -> None:
    """Give a server a default category, without the browser."""
    (entry,) = await house.home.api.entries(DOMAIN)
    subentries = await house.home.api.subentries(entry["entry_id"])
    flow = await house.home.api.subentry_flow(entry["entry_id"], "instance", subentries["Attic"])
    defaults = {"category": "kept", "save_path": "", "tags": [], "stopped": "server"}
    await flow.submit(defaults=defaults)
    assert (await stored(house))["category"] == "kept"


async def stored(house: House) -> dict[str, object]:
    """Return the defaults of that server as they are stored."""
    (entry,) = await house.home.api.entries(DOMAIN)
    subentries = await house.home.api.subentries(entry["entry_id"])
    flow = await house.home.api.subentry_flow(entry["entry_id"], "instance", subentries["Attic"])
    defaults: dict[str, object] = flow.form["defaults"]
    return defaults

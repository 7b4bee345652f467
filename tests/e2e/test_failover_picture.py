"""The picture at the top of the README: a failover, after a day like others."""

from playwright.async_api import FloatRect, expect
import pytest

from tests.support.harness.home_assistant import DOMAIN, ROOT
from tests.support.harness.home_assistant_api import Api
from tools.demo.dashboard import show_dashboard, statuses
from tools.demo.magnets import Magnet

from .fixtures import House, SitDown
from .past import remember
from .pictures import keep

pytestmark = pytest.mark.timeout(180)

# Names that everybody knows; the hashes are of no torrent.
BEFORE = Magnet("debian-13.2.0-amd64-netinst.iso")
MEANWHILE = Magnet("archlinux-2026.11.01-x86_64.iso")
WAITS = Magnet("ubuntu-26.10-desktop-amd64.iso")

VPN = f"binary_sensor.{DOMAIN}_vpn"
ACTIVE = f"sensor.{DOMAIN}_active_instance"
QUEUE = f"todo.{DOMAIN}_queue"
BROUGHT = ROOT / "custom_components" / DOMAIN / "frontend" / "dashboard.js"
SCREEN = {"width": 868, "height": 1100}
"""As wide as GitHub shows a picture, and narrow enough for the frontend to fold its sidebar."""
CROP: FloatRect = {"x": 0, "y": 66, "width": 868, "height": 502}
"""What waits, and how servers are; the head of the page tells nothing."""


async def a_dashboard(api: Api) -> str:
    """Return the path of the dashboard that the integration brings; without it, of the YAML's."""
    if not BROUGHT.exists():  # until it is here
        return await show_dashboard(api, hours=24)
    path = "a-failover"
    await api.command(
        "lovelace/dashboards/create",
        url_path=path,
        title="Failover",
        mode="storage",
        require_admin=False,
        show_in_sidebar=False,
    )
    config = {"strategy": {"type": "custom:qbittorrent-resilient"}}
    await api.command("lovelace/config/save", url_path=path, config=config)
    return f"/{path}"


async def show_names(api: Api) -> None:
    """Enable the to-do list of the queue, as somebody does who wants to see what waits."""
    await api.command("config/entity_registry/update", entity_id=QUEUE, disabled_by=None)
    (entry,) = await api.entries(DOMAIN)
    await api.call_service(
        "homeassistant", "reload_config_entry", {"entry_id": entry["entry_id"]}, response=False
    )


async def a_failover(house: House) -> str:
    """Let the VPN fall after a day with one short outage; return the path of the dashboard."""
    api = house.home.api
    await house.call("add_magnets", {"magnets": [BEFORE.link]})
    await show_names(api)
    path = await a_dashboard(api)
    known = await statuses(api)
    for entity, usual, other in (
        (VPN, "on", "off"),
        (ACTIVE, "Seedbox", "Attic"),
        (known["Seedbox"], "ok", "vpn_down"),
    ):
        await remember(house.home, entity, [(23.9, usual), (9.5, other), (7.75, usual)])
    blink = [(23.9, "ok"), (16.0, "unreachable"), (15.2, "ok")]
    await remember(house.home, known["Attic"], blink)
    house.vpn.down()
    for _ in range(3):
        await house.health()
    answer = await house.call("add_magnets", {"magnets": [MEANWHILE.link]})
    assert [one["instance"] for one in answer["added"]] == ["Attic"]
    await house.call("add_magnets", {"magnets": [WAITS.link], "require_vpn": True})
    return path


@pytest.fixture(scope="module")
def paths() -> list[str]:
    """Keep the path of the dashboard over the tests of the module."""
    return []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_a_failover_can_be_seen(
    ready: House, sit_down: SitDown, paths: list[str], dark: bool
) -> None:
    if not paths:
        paths.append(await a_failover(ready))
    async with sit_down(dark=dark) as user:
        await user.page.set_viewport_size(SCREEN)  # type: ignore[arg-type]
        await user.page.goto(paths[0])
        view = user.page.locator("hui-view")
        await expect(view.locator("hui-card").first).to_be_visible()
        await user.page.wait_for_load_state("networkidle")
        for said in ("VPN down", "Attic", WAITS.name):
            await expect(view.get_by_text(said).first).to_be_visible()
        await expect(view.locator("hui-history-graph-card canvas").first).to_be_visible()
        await keep(user.page, "failover-dark" if dark else "failover", crop=CROP)
        if not dark:
            await keep(user.page, "day", view.locator("hui-history-graph-card").first)
            await keep(user.page, "queue", view.locator("hui-todo-list-card"))

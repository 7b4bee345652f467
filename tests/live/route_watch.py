"""What the live tests of the route do with Home Assistant, and see in it."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.qbittorrent_resilient.const import DOMAIN
from tests.live.common import until
from tests.live.route_stage import until_heard
from tests.support.actions import add, call, hashes, status_of
from tests.support.common import instance
from tests.support.fake.server import FakeQBittorrent
from tests.support.harness.home_client import HomeClient
from tests.support.harness.vpn import Vpn
from tests.support.harness.world import World
from tests.support.harness.world_places import HOME, TUNNEL

SCAN_SECONDS = 1
SELDOM_SECONDS = 3600
"""No look but those that something asks for."""
SHOWS_SECONDS = SCAN_SECONDS + 10
"""What a leak may take to show, once the client knows its address."""
PATIENCE_SECONDS = 60
"""For what is not promised within a time."""
KEY, NAME = "client", "Client"
AT_HOME, AT_HOME_IPV6 = HOME.near
NEIGHBOUR_IPV6 = "2001:db8:1::99"
"""Another host of the home: it shares the first half of its address with the client."""
BY_TUNNEL = TUNNEL.near[0]
ROUTER = "sensor.router_external_ip"


class Watch:
    """Home Assistant with one client that requires the VPN, and what it has said of it."""

    client: HomeClient
    entry: MockConfigEntry

    def __init__(self, hass: HomeAssistant, world: World) -> None:
        """Listen to its events from now on."""
        self.hass, self.world = hass, world
        self.leaks: list[str] = []
        """Which instances there were events of a leak for."""
        hass.bus.async_listen("state_changed", self._hear)

    async def begin(
        self,
        client: HomeClient,
        vpn: Vpn | None,
        *,
        home: str = AT_HOME,
        scan_seconds: int = SCAN_SECONDS,
        gluetun: Mapping[str, str] | None = None,
        **options: int,
    ) -> None:
        """Set the integration up, and wait until the client has been looked at.

        `home` is what a sensor of the router says; `gluetun` is what a user enters of one.
        """
        self.client = client
        self.hass.states.async_set(ROUTER, home)
        fields: dict[str, Any] = {"gluetun": dict(gluetun)} if gluetun else {}
        self.entry = MockConfigEntry(
            domain=DOMAIN,
            title="qBittorrent Resilient",
            entry_id="hub",
            data={"vpn_targets": [vpn.target] if vpn else [], "home_address": [ROUTER]},
            options={"scan_interval": scan_seconds} | options,
            subentries_data=[instance(KEY, _as_fake(client), requires_vpn=True, **fields)],
        )
        self.entry.add_to_hass(self.hass)
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.hass.async_block_till_done()
        await self.until_status("ok", "leaking", seconds=PATIENCE_SECONDS)

    @property
    def status(self) -> str:
        """Return the status of the client."""
        return status_of(self.hass, KEY)

    @property
    def route(self) -> str:
        """Return the route of the client."""
        state = self.hass.states.get(f"sensor.{KEY}_route")
        assert state is not None
        return state.state

    @property
    def repairs(self) -> dict[str, ir.IssueEntry]:
        """Return what there is to be repaired, by the beginning of its id."""
        return {
            one.issue_id.removesuffix(f"_{KEY}"): one
            for one in ir.async_get(self.hass).issues.values()
            if one.domain == DOMAIN and one.active
        }

    async def until_status(self, *statuses: str, seconds: float = SHOWS_SECONDS) -> None:
        """Wait for one of these statuses."""
        await until(lambda: self.status in statuses, seconds)

    async def until_route(self, route: str, seconds: float = SHOWS_SECONDS) -> None:
        """Wait for a route."""
        await until(lambda: self.route == route, seconds)

    async def deliver(self, magnet: str) -> None:
        """Add a magnet, and see it get there."""
        answer = await add(self.hass, magnet)
        assert [one["status"] for one in answer["added"]] == ["added"], answer

    async def is_kept_back(self, info_hash: str, magnet: str, reason: str = "leaking") -> None:
        """Add a magnet that must get nowhere, whatever is tried then."""
        answer = await add(self.hass, magnet)
        assert [one["reason"] for one in answer["queued"]] == [reason], answer
        await self.is_still_kept_back(info_hash)

    async def is_still_kept_back(self, info_hash: str) -> None:
        """Check again, try again, and see that neither the client nor the tracker got a hash."""
        for _ in range(2):
            await call(self.hass, "check_health")
            assert info_hash in hashes((await call(self.hass, "retry_queue"))["queued"])
        assert info_hash not in self.client.hashes()
        assert self.world.heard(info_hash) == []

    async def arrives(self, info_hash: str) -> None:
        """Wait until a magnet that was kept back is delivered, and announced by the tunnel only."""
        await until_heard(self.world, info_hash, BY_TUNNEL)
        assert self.world.sources(info_hash) == {BY_TUNNEL}

    async def check(self) -> str:
        """Have everything checked now; return the status of the client."""
        return str((await call(self.hass, "check_health"))["instances"][NAME])

    async def say_mended(self) -> None:
        """Say in the repair that the leak is mended, as a user does."""
        assert await async_setup_component(self.hass, "repairs", {})
        issue = self.repairs["leaking"]
        assert issue.is_fixable
        manager = self.hass.data["repairs"]["flow_manager"]
        result = await manager.async_init(DOMAIN, data={"issue_id": issue.issue_id})
        assert result["type"] == "form"
        result = await manager.async_configure(result["flow_id"], {})
        assert result["type"] == "create_entry"
        await self.hass.async_block_till_done()

    @callback
    def _hear(self, event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if state is not None and state.domain == "event":
            if state.attributes.get("event_type") == "leak":
                self.leaks.append(state.attributes["instance"])


def _as_fake(client: HomeClient) -> FakeQBittorrent:
    """Give a client the attributes by which an instance is described."""
    settings = SimpleNamespace(username=client.username, password=client.password)
    return cast("FakeQBittorrent", SimpleNamespace(url=client.url, settings=settings))

"""What runs for the config entry, and how it is put together from its settings."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import logging
from typing import Any, NamedTuple

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from .const import (
    CONF_FAILURES_BEFORE_DOWN,
    CONF_FETCH_LINKS,
    CONF_FETCH_PROXY,
    CONF_QUEUE_EXPIRY,
    CONF_REMEMBER_DAYS,
    CONF_SUCCESSES_BEFORE_UP,
    CONF_VPN_TARGETS,
    SUBENTRY_INSTANCE,
)
from .coordinator import InstanceCoordinator, QueueCoordinator
from .core import names
from .core.clock import Clock
from .core.dispatcher import Dispatcher
from .core.fetching.fetcher import Fetcher
from .core.fetching.links import LinkHandling
from .core.gluetun import ControlServer, GluetunSettings
from .core.health.condition import VpnCondition
from .core.health.gluetun import GluetunMonitor
from .core.health.home import HomeAddresses
from .core.health.instance import InstanceMonitor
from .core.health.instance_gate import InstanceGate
from .core.health.ping import IcmpPing
from .core.health.probe import TargetProbe
from .core.health.route import RouteMonitor
from .core.health.route_record import RouteRecord
from .core.health.settings import InstanceSettings
from .core.health.tcp import TcpConnect
from .core.health.vpn import VpnMonitor
from .core.outbox.deliveries import Deliveries
from .core.outbox.outbox import Outbox
from .core.qbittorrent import Client, Connection
from .delivered_lately import async_recent_deliveries
from .entry_settings import damaged_fields, readable_options, readable_targets
from .home_address import async_home
from .login_memory import async_login_guard
from .retried import Retried
from .settings import DamagedSettingsError, instance_settings, verifies_ssl
from .storage.queue_storage import QueueStorage
from .vpn_coordinator import GluetunCoordinator, VpnCoordinator
from .web_session import async_fetcher, async_session

_LOGGER = logging.getLogger(__name__)

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Runtime:
    """All that runs for the config entry; `gluetuns` and `instances` are by the instance's key.

    `damaged` has the titles of the instances whose stored settings cannot be read.
    """

    dispatcher: Dispatcher
    queue: QueueCoordinator
    retried: Retried
    vpn: VpnCoordinator | None
    gluetuns: dict[str, GluetunCoordinator]
    instances: dict[str, InstanceCoordinator]
    damaged: Mapping[str, str]
    home: HomeAddresses

    @property
    def routes(self) -> dict[str, RouteMonitor]:
        """Return the routes of the instances that require the VPN, by the instance's key."""
        monitors = {key: coordinator.monitor for key, coordinator in self.instances.items()}
        return {key: one.route for key, one in monitors.items() if one.route is not None}

    @property
    def witnesses(self) -> tuple[VpnCoordinator | GluetunCoordinator, ...]:
        """Return what tells whether the VPN is up."""
        return (*(() if self.vpn is None else (self.vpn,)), *self.gluetuns.values())

    async def async_check(self) -> None:
        """Ask the VPN and every instance how they are, until each has a verdict."""
        await asyncio.gather(*(witness.async_refresh() for witness in self.witnesses))
        await asyncio.gather(*(instance.async_check() for instance in self.instances.values()))

    async def async_stop(self) -> None:
        """Stop delivering and checking; what waits is on disk."""
        await self.dispatcher.stop()
        for witness in self.witnesses:
            witness.monitor.close()
        for instance in self.instances.values():
            instance.monitor.close()


type ResilientConfigEntry = ConfigEntry[Runtime]


class Memories(NamedTuple):
    """What was known before the start: of each instance's route, by its key, and of deliveries."""

    routes: Mapping[str, RouteRecord]
    deliveries: Deliveries


@callback
def async_build(
    hass: HomeAssistant,
    entry: ResilientConfigEntry,
    storage: QueueStorage,
    links: QueueStorage,
    memories: Memories,
) -> Runtime:
    """Return what the entry's settings ask for; nothing runs yet.

    `storage` is for the queue, `links` for web links.
    """
    clock = Clock()
    if damaged := damaged_fields(entry):
        _LOGGER.warning("What is stored cannot be read: %s", ", ".join(damaged))
    options, targets = readable_options(entry.options), readable_targets(entry)
    counts = _Counts(
        int(options[CONF_FAILURES_BEFORE_DOWN]), int(options[CONF_SUCCESSES_BEFORE_UP]), clock
    )
    vpn = counts.of_targets(targets) if targets else None
    home = async_home(hass, entry, clock)
    servers = _servers(hass, entry, counts, vpn, home, memories.routes)
    dispatcher = Dispatcher(
        servers.monitors.values(),
        Outbox(
            storage,
            remember_seconds=options[CONF_REMEMBER_DAYS] * DAY_SECONDS,
            counted=memories.deliveries,
        ),
        links=LinkHandling(Outbox(links), _fetcher(hass, options)),
        expiry_seconds=options[CONF_QUEUE_EXPIRY] * DAY_SECONDS,
        unusable=servers.damaged,
        clock=clock,
    )
    dispatcher.remember(async_recent_deliveries(hass, entry.entry_id, dispatcher.recent_deliveries))
    return Runtime(
        dispatcher=dispatcher,
        queue=QueueCoordinator(hass, entry, dispatcher),
        retried=Retried(clock),
        vpn=None if vpn is None else VpnCoordinator(hass, entry, vpn),
        gluetuns={
            key: GluetunCoordinator(hass, entry, one) for key, one in servers.gluetuns.items()
        },
        instances={
            key: InstanceCoordinator(hass, entry, one) for key, one in servers.monitors.items()
        },
        damaged=servers.damaged,
        home=home,
    )


@dataclass(frozen=True, slots=True)
class _Counts:
    """How many rounds make a verdict, by which clock."""

    failures_before_down: int
    successes_before_up: int
    clock: Clock

    def of_targets(self, targets: Sequence[str]) -> VpnMonitor:
        """Return the witness for the VPN's targets."""
        return VpnMonitor(
            targets,
            TargetProbe(IcmpPing(), TcpConnect()),
            failures_before_down=self.failures_before_down,
            successes_before_up=self.successes_before_up,
            clock=self.clock,
        )

    def of_gluetun(self, name: str, control: ControlServer) -> GluetunMonitor:
        """Return the witness for the gluetun of the instance with this name."""
        return GluetunMonitor(
            name,
            control,
            failures_before_down=self.failures_before_down,
            successes_before_up=self.successes_before_up,
            clock=self.clock,
        )


def _fetcher(hass: HomeAssistant, options: Mapping[str, Any]) -> Fetcher | None:
    """Return what fetches web links, if the user wants that."""
    if not options[CONF_FETCH_LINKS]:
        return None
    return async_fetcher(hass, options[CONF_FETCH_PROXY])


class _Servers(NamedTuple):
    """What watches each server and its gluetun, and the titles of the damaged, by their keys."""

    monitors: dict[str, InstanceMonitor]
    gluetuns: dict[str, GluetunMonitor]
    damaged: dict[str, str]


def _servers(
    hass: HomeAssistant,
    entry: ResilientConfigEntry,
    counts: _Counts,
    vpn: VpnMonitor | None,
    home: HomeAddresses,
    records: Mapping[str, RouteRecord],
) -> _Servers:
    """Return what watches the servers that are set up."""
    servers, clock = _Servers({}, {}, {}), counts.clock
    for subentry in entry.get_subentries_of_type(SUBENTRY_INSTANCE):
        key = subentry.subentry_id
        try:
            # Not whether there is one: targets may be there that cannot be read.
            has_vpn = bool(entry.data.get(CONF_VPN_TARGETS))
            settings = instance_settings(subentry, has_vpn=has_vpn)
        except DamagedSettingsError:
            servers.damaged[key] = names.shown(subentry.title) or key
            continue
        if settings.requires_vpn and settings.gluetun is not None:
            servers.gluetuns[key] = counts.of_gluetun(
                settings.name, _control(hass, settings.gluetun)
            )
        condition = route = None
        if settings.requires_vpn:
            witnesses = (vpn, servers.gluetuns.get(key))
            condition = VpnCondition([one for one in witnesses if one is not None], clock=clock)
            route = _route(home, clock, servers.gluetuns.get(key), records.get(key))
        verify_ssl = verifies_ssl(subentry.data)
        servers.monitors[key] = _monitor(
            hass, settings, condition, route, clock, verify_ssl=verify_ssl
        )
    return servers


def _control(hass: HomeAssistant, settings: GluetunSettings) -> ControlServer:
    """Return what asks a gluetun."""
    return ControlServer(async_session(hass, verify_ssl=True), settings)


def _route(
    home: HomeAddresses, clock: Clock, gluetun: GluetunMonitor | None, record: RouteRecord | None
) -> RouteMonitor:
    """Return what judges the route of one instance; it goes on from what was stored."""
    exit_address = None if gluetun is None else lambda: gluetun.public_ip
    return RouteMonitor(home, clock, exit_address=exit_address, record=record)


def _monitor(
    hass: HomeAssistant,
    settings: InstanceSettings,
    vpn: VpnCondition | None,
    route: RouteMonitor | None,
    clock: Clock,
    *,
    verify_ssl: bool,
) -> InstanceMonitor:
    """Return the monitor of one instance; one that requires the VPN is sent nothing without it."""
    gate = None if vpn is None else InstanceGate(vpn.gate)
    connection = Connection(
        async_session(hass, verify_ssl=verify_ssl),
        settings,
        clock,
        gate=gate,
        login_guard=async_login_guard(hass, settings),
    )
    monitor = InstanceMonitor(settings, Client(connection), vpn=vpn, route=route, clock=clock)
    if gate is not None:
        gate.watch(monitor)
    return monitor

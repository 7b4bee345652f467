"""What runs for a config entry, put together from its settings."""

from functools import partial

from homeassistant.core import HomeAssistant, callback

from .connect import async_session
from .const import (
    CONF_FAILURES_BEFORE_DOWN,
    CONF_QUEUE_EXPIRY,
    CONF_SUCCESSES_BEFORE_UP,
    CONF_VPN_TARGETS,
    DEFAULT_OPTIONS,
    SUBENTRY_INSTANCE,
)
from .coordinator import (
    InstanceCoordinator,
    QueueCoordinator,
    ResilientConfigEntry,
    Runtime,
    VpnCoordinator,
)
from .core.courier import Courier
from .core.health import InstanceMonitor
from .core.models import Clock, InstanceSettings
from .core.ping import IcmpPing
from .core.qbittorrent import Client, Connection
from .core.queue import MagnetQueue
from .core.vpn import VpnMonitor
from .log_ins import async_log_ins
from .reauth import async_ask_for_credentials
from .settings import instance_settings, verifies_ssl
from .storage import QueueStorage

DAY_SECONDS = 86_400


@callback
def async_build(hass: HomeAssistant, entry: ResilientConfigEntry) -> Runtime:
    """Return what the entry's settings ask for; nothing runs yet."""
    clock = Clock()
    options = DEFAULT_OPTIONS | entry.options
    targets = entry.data.get(CONF_VPN_TARGETS) or []
    vpn = VpnMonitor(
        targets,
        IcmpPing(),
        failures_before_down=int(options[CONF_FAILURES_BEFORE_DOWN]),
        successes_before_up=int(options[CONF_SUCCESSES_BEFORE_UP]),
        clock=clock,
    )
    monitors = {
        subentry.subentry_id: _monitor(
            hass,
            instance_settings(subentry, has_vpn=bool(targets)),
            vpn,
            clock,
            verify_ssl=verifies_ssl(subentry.data),
        )
        for subentry in entry.get_subentries_of_type(SUBENTRY_INSTANCE)
    }
    courier = Courier(
        monitors.values(),
        vpn if targets else None,
        MagnetQueue(QueueStorage(hass, entry.entry_id)),
        expiry_seconds=options[CONF_QUEUE_EXPIRY] * DAY_SECONDS,
        clock=clock,
    )
    return Runtime(
        courier=courier,
        queue=QueueCoordinator(hass, entry, courier),
        vpn=VpnCoordinator(hass, entry, vpn) if targets else None,
        instances={
            key: InstanceCoordinator(hass, entry, monitor) for key, monitor in monitors.items()
        },
        ask_for_credentials=partial(async_ask_for_credentials, hass, entry),
    )


def _monitor(
    hass: HomeAssistant,
    settings: InstanceSettings,
    vpn: VpnMonitor,
    clock: Clock,
    *,
    verify_ssl: bool,
) -> InstanceMonitor:
    """Return the monitor of one instance; one that requires the VPN is sent nothing without it."""
    barrier = vpn if settings.requires_vpn else None
    connection = Connection(
        async_session(hass, verify_ssl=verify_ssl),
        settings,
        clock,
        gate=None if barrier is None else barrier.gate,
        log_ins=async_log_ins(hass, settings),
    )
    return InstanceMonitor(settings, Client(connection), vpn=barrier, clock=clock)

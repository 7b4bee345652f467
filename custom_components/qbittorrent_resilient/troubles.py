"""Troubles that the user can do something about, in Home Assistant's repairs.

Each is said while it lasts and taken back when its cause is known to be gone: once one is taken
back, Home Assistant forgets that the user ignores it. What passes by itself, such as a server that
is down, is for the sensors to say.
"""

from collections.abc import Callable, Collection, Mapping
import re

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_call_later

from .const import DOMAIN, TROUBLESHOOTING_URL
from .coordinator import InstanceCoordinator, ResilientConfigEntry
from .core.models import InstanceStatus, VpnState

FAILED = "failed_magnets"
NO_ICMP = "icmp_not_permitted"
HOST_REJECTED = "host_rejected"
BANNED = "banned"
OLD = "old_qbittorrent"

_OF_HUB = (FAILED, NO_ICMP)
_OF_INSTANCE = (HOST_REJECTED, BANNED, OLD)
_NO_ANSWER = {
    None,
    InstanceStatus.VPN_DOWN,
    InstanceStatus.UNREACHABLE,
    InstanceStatus.TIMEOUT,
}
"""A server with one of these has told nothing about itself."""

OLDEST_TESTED = (4, 5)
"""The oldest qBittorrent that the tests run against."""
BANNED_SECONDS = 3600.0
"""qBittorrent's own ban lasts this long; one that lasts longer is renewed by somebody."""


@callback
def async_watch(hass: HomeAssistant, entry: ResilientConfigEntry) -> None:
    """Say what is wrong, from now until the entry is unloaded."""
    runtime = entry.runtime_data
    of_instances = {f"{kind}_{key}" for kind in _OF_INSTANCE for key in runtime.instances}
    async_take_back(hass, still={*of_instances, *(_OF_HUB if runtime.vpn else (FAILED,))})

    @callback
    def say(
        issue_id: str,
        is_so: object,
        key: str,
        placeholders: Mapping[str, str] | None = None,
        *,
        fixable: bool = False,
    ) -> None:
        if not is_so:
            ir.async_delete_issue(hass, DOMAIN, issue_id)
            return
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            is_fixable=fixable,
            learn_more_url=TROUBLESHOOTING_URL,
            severity=ir.IssueSeverity.WARNING,
            translation_key=key,
            translation_placeholders=dict(placeholders) if placeholders else None,
        )

    @callback
    def queue_changed() -> None:
        failed = runtime.queue.data.failed
        say(FAILED, failed, FAILED, {"count": str(failed)}, fixable=True)

    @callback
    def vpn_changed() -> None:
        reading = None if runtime.vpn is None else runtime.vpn.data
        if reading is not None and (reading.state is not VpnState.UNKNOWN or not reading.permitted):
            say(NO_ICMP, not reading.permitted, NO_ICMP)

    _follow(entry, runtime.queue.async_add_listener, queue_changed)
    if runtime.vpn is not None:
        _follow(entry, runtime.vpn.async_add_listener, vpn_changed)
    for key, coordinator in runtime.instances.items():
        watch = _InstanceWatch(hass, key, coordinator, say)
        _follow(entry, coordinator.async_add_listener, watch.changed)
        entry.async_on_unload(watch.stop)

    @callback
    def unloaded() -> None:
        if entry.disabled_by:
            async_take_back(hass)

    entry.async_on_unload(unloaded)


@callback
def async_take_back(hass: HomeAssistant, *, still: Collection[str] = ()) -> None:
    """Take back whatever was said, but for issues that may still be so."""
    for domain, issue_id in list(ir.async_get(hass).issues):
        if (
            domain == DOMAIN
            and issue_id.startswith((*_OF_HUB, *_OF_INSTANCE))
            and issue_id not in still
        ):
            ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def _follow(
    entry: ResilientConfigEntry,
    listen: Callable[[CALLBACK_TYPE], CALLBACK_TYPE],
    changed: CALLBACK_TYPE,
) -> None:
    """Look now, and at every change."""
    entry.async_on_unload(listen(changed))
    changed()


class _InstanceWatch:
    """The troubles of one instance."""

    def __init__(
        self,
        hass: HomeAssistant,
        key: str,
        coordinator: InstanceCoordinator,
        say: Callable[[str, object, str, Mapping[str, str]], None],
    ) -> None:
        self._hass = hass
        self._key = key
        self._coordinator = coordinator
        self._say = say
        self._stop_waiting: CALLBACK_TYPE | None = None

    @callback
    def changed(self) -> None:
        """Say what its status and version mean."""
        client, status = self._coordinator.monitor.client, self._coordinator.data
        name = {"name": self._coordinator.monitor.settings.name}
        if client.version is not None:
            version = name | {"version": client.version}
            self._say(f"{OLD}_{self._key}", _is_old(client.version), OLD, version)
        if status is not InstanceStatus.BANNED:
            self.stop()
        if status in _NO_ANSWER:
            return
        rejected = status is InstanceStatus.HOST_REJECTED
        self._say(f"{HOST_REJECTED}_{self._key}", rejected, HOST_REJECTED, name)
        if status is not InstanceStatus.BANNED:
            self._say(f"{BANNED}_{self._key}", False, BANNED, name)
        elif self._stop_waiting is None:
            self._stop_waiting = async_call_later(
                self._hass,
                BANNED_SECONDS,
                callback(lambda _now: self._say(f"{BANNED}_{self._key}", True, BANNED, name)),
            )

    @callback
    def stop(self) -> None:
        """Wait for nothing any more."""
        if self._stop_waiting is not None:
            self._stop_waiting()
            self._stop_waiting = None


def _is_old(version: str) -> bool:
    """Tell whether a version such as 4.4.5 or 5.3.0beta1 is older than what is tested."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) < OLDEST_TESTED

"""The line of instances, first in line first: who may get a magnet, and why it waits."""

from collections.abc import Iterable

from .entry import NO_INSTANCE, UNCERTAIN, Entry
from .health import InstanceMonitor
from .models import InstanceStatus


def may_go_to(entry: Entry, monitor: InstanceMonitor) -> bool:
    """Tell whether the magnet's wishes allow this instance."""
    return monitor.settings.requires_vpn or not entry.require_vpn


def waiting_reason(entry: Entry, line: Iterable[InstanceMonitor]) -> str:
    """Return why a magnet is still queued, in the words of the README."""
    if entry.sent_to is not None:
        return UNCERTAIN
    first = next((monitor for monitor in line if may_go_to(entry, monitor)), None)
    if first is None:
        return NO_INSTANCE
    if first.status is None or first.is_ok:
        return entry.reason or (first.status or InstanceStatus.TIMEOUT).value
    return first.status.value

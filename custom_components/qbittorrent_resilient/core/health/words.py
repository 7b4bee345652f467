"""Why an instance cannot be used, in plain words."""

from .instance import InstanceMonitor
from .instance_gate import LEAKS
from .status import InstanceStatus

_WORDS = {
    InstanceStatus.UNREACHABLE: "there is no connection to it",
    InstanceStatus.TIMEOUT: "it does not answer in time",
    InstanceStatus.AUTH_FAILED: "it refuses the credentials",
    InstanceStatus.BANNED: "it has banned this host after failed logins",
    InstanceStatus.HOST_REJECTED: "it refuses the host name in its URL",
    InstanceStatus.SSL_ERROR: "its certificate is not accepted",
    InstanceStatus.DISCONNECTED: "it says that it has no connection",
    InstanceStatus.NOT_SAVING: "its log says that it cannot save what it gets",
    InstanceStatus.ERROR: "it does not answer as qBittorrent does",
}


def reason_of(monitor: InstanceMonitor) -> str | None:
    """Return why an instance cannot be used; None if it can, or has no verdict yet.

    Where it waits for the VPN, that is what its witnesses have seen.
    """
    status = monitor.status
    if status in (None, InstanceStatus.OK):
        return None
    if status is InstanceStatus.VPN_DOWN:
        reasons = {} if monitor.vpn is None else monitor.vpn.reasons
        seen = ", ".join(f"{name}: {why}" for name, why in reasons.items())
        return f"the VPN is not up ({seen})" if seen else "the VPN is not known to be up"
    if status is InstanceStatus.LEAKING:
        return LEAKS  # whatever else the last look has met
    words = _WORDS.get(status, status.value)
    return f"{words} ({monitor.reason})" if monitor.reason else words

"""The states of the VPN and of an instance."""

from enum import StrEnum


class VpnState(StrEnum):
    """The verdict on the VPN; `unknown` counts as not up."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


class InstanceStatus(StrEnum):
    """The verdict on an instance; it gets magnets only while that is `ok`."""

    OK = "ok"
    VPN_DOWN = "vpn_down"
    LEAKING = "leaking"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    AUTH_FAILED = "auth_failed"
    BANNED = "banned"
    HOST_REJECTED = "host_rejected"
    SSL_ERROR = "ssl_error"
    DISCONNECTED = "disconnected"
    NOT_SAVING = "not_saving"
    ERROR = "error"

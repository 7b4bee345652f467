"""What a failed request says of an instance: the only table from client errors to statuses."""

from ..qbittorrent.errors import (
    BannedError,
    CannotConnectError,
    CertificateError,
    EndlessAnswerError,
    GateClosedError,
    HostRejectedError,
    LoginError,
    ProtocolError,
    ProxyAuthError,
    ServerError,
    TimedOutError,
)
from .instance_gate import LeakingError
from .status import InstanceStatus

STATUS_OF_ERROR: dict[type[ServerError], InstanceStatus] = {
    CannotConnectError: InstanceStatus.UNREACHABLE,
    TimedOutError: InstanceStatus.TIMEOUT,
    CertificateError: InstanceStatus.SSL_ERROR,
    LoginError: InstanceStatus.AUTH_FAILED,
    BannedError: InstanceStatus.BANNED,
    HostRejectedError: InstanceStatus.HOST_REJECTED,
    ProtocolError: InstanceStatus.ERROR,
    GateClosedError: InstanceStatus.VPN_DOWN,
    LeakingError: InstanceStatus.LEAKING,
    EndlessAnswerError: InstanceStatus.ERROR,
    ProxyAuthError: InstanceStatus.ERROR,  # reauth asks for qBittorrent's login, which is not wrong
}


def status_of(err: ServerError) -> InstanceStatus:
    """Return the status of an instance whose last request met this error.

    A class that is not in the table counts as its nearest parent there, or else as `error`.
    """
    statuses = (STATUS_OF_ERROR.get(error_type) for error_type in type(err).__mro__)
    return next((status for status in statuses if status is not None), InstanceStatus.ERROR)

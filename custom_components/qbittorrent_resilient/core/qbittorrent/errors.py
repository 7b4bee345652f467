"""The errors of the client: one class for each failure that a caller may want to tell apart.

The text of an error is for logs. It quotes neither the request nor the answer, so that it never
holds a password, a cookie or a magnet link; only where a redirect leads is said, without its query.
"""

from enum import StrEnum


class InvalidSettingsError(Exception):
    """Base: settings with which no server can be asked; the error's text says why."""


class UrlFault(StrEnum):
    """What is wrong with an address."""

    UNREADABLE = "unreadable"
    CREDENTIALS = "credentials"
    SCHEME = "scheme"
    NO_HOST = "no_host"
    ADDRESS = "address"
    """Of digits and dots only, but no IPv4 address."""
    PORT = "port"
    BRACKETS = "brackets"
    """The last part of an IPv6 address may be a port, or not."""
    CHARACTER = "character"
    SEVERAL = "several"
    QUERY = "query"


class InvalidUrlError(InvalidSettingsError):
    """The text is not the address of a web interface."""

    def __init__(self, detail: str = "", *, fault: UrlFault = UrlFault.UNREADABLE) -> None:
        """Say in `detail` what is wrong, without the address."""
        super().__init__(detail)
        self.fault = fault


class InvalidProxyError(InvalidSettingsError):
    """The login or the headers for a proxy cannot be sent; no value is quoted."""


class ServerError(Exception):
    """Base: a server did not do what it was asked.

    `maybe_done` is true if the server may have carried the request out anyway: the request was
    sent, and no definite answer came. `leads_to` is where a redirect leads, without its query.
    """

    def __init__(self, detail: str = "", *, maybe_done: bool = False, leads_to: str = "") -> None:
        """Say in `detail` what happened, in words that hold no secret."""
        super().__init__(detail)
        self.maybe_done = maybe_done
        self.leads_to = leads_to


class CannotConnectError(ServerError):
    """No route, no such name, a refused connection, or a connection cut before the answer."""


class TimedOutError(ServerError):
    """No connection within CONNECT_SECONDS, or no complete answer within the request's time."""


class CertificateError(ServerError):
    """The server's certificate is not trusted, or TLS could not be agreed on."""


class HandshakeError(CertificateError):
    """TLS could not be agreed on, whoever is at the other end."""


class NoTlsError(HandshakeError):
    """What came back is no TLS: the port speaks something else."""


class LoginError(ServerError):
    """The server wants credentials and got none, or refused the user name, password or API key."""


class BannedError(ServerError):
    """The server has banned this host's address after too many failed logins."""


class HostRejectedError(ServerError):
    """The server's protection against forged Host or Origin headers refuses the address used."""


class ProxyAuthError(ServerError):
    """What stands in front of qBittorrent refuses its login or the headers, or wants some."""


class EndlessAnswerError(ServerError):
    """An answer or a list goes on beyond every bound; to ask again would not help for now."""


class ProtocolError(ServerError):
    """qBittorrent should not answer like this: a 5xx, a page, another program's text."""


class AnswerTooLongError(ProtocolError):
    """The answer is longer than the request allows; the caller may ask for less at a time."""


class GateClosedError(ServerError):
    """The gate that the caller passed in refused the request, which was not sent."""

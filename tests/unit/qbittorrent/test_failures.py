"""What failed, in words for a log: no class of a library, no address, no secret."""

import errno
import ssl
from typing import Any, cast

import aiohttp
from aiohttp.client_reqrep import ConnectionKey
import pytest

from custom_components.qbittorrent_resilient.core.qbittorrent import errors
from custom_components.qbittorrent_resilient.core.qbittorrent.failures import server_error

KEY = ConnectionKey("canary", 8080, True, True, None, None, None)


def tls_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, "canary")
    error.reason = reason
    return error


def connector(number: int) -> aiohttp.ClientConnectorError:
    return aiohttp.ClientConnectorError(KEY, OSError(number, "Connect call failed ('canary', 1)"))


@pytest.mark.parametrize(
    ("theirs", "ours", "words"),
    [
        (connector(errno.ECONNREFUSED), errors.CannotConnectError, "connection refused"),
        (connector(errno.EHOSTUNREACH), errors.CannotConnectError, "no route to host"),
        (
            aiohttp.ClientConnectorError(KEY, OSError("Multiple exceptions: canary")),
            errors.CannotConnectError,
            "no connection",
        ),
        (
            aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "canary")),
            errors.CannotConnectError,
            "host name not found",
        ),
        (
            aiohttp.ClientConnectorCertificateError(KEY, ssl.CertificateError("canary")),
            errors.CertificateError,
            "certificate not trusted",
        ),
        (
            aiohttp.ClientConnectorSSLError(KEY, tls_error("NO_SHARED_CIPHER")),
            errors.HandshakeError,
            "no agreement on TLS",
        ),
        (
            aiohttp.ClientConnectorSSLError(KEY, tls_error("WRONG_VERSION_NUMBER")),
            errors.NoTlsError,
            "the port does not speak TLS",
        ),
        (aiohttp.ConnectionTimeoutError("canary"), errors.TimedOutError, "no connection in time"),
        (TimeoutError(), errors.TimedOutError, "time limit reached"),
        (aiohttp.ServerDisconnectedError("canary"), errors.CannotConnectError, "connection cut"),
        (aiohttp.ClientPayloadError("canary"), errors.CannotConnectError, "answer cut off"),
        (ConnectionResetError("canary"), errors.CannotConnectError, "connection failed"),
        (
            aiohttp.ClientResponseError(cast("Any", None), (), message="canary"),
            errors.ProtocolError,
            "the answer is not HTTP",
        ),
        (ValueError("canary"), errors.ProtocolError, "the request failed"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_words(theirs: BaseException, ours: type[errors.ServerError], words: str) -> None:
    error = server_error(theirs)
    assert type(error) is ours
    assert str(error) == words

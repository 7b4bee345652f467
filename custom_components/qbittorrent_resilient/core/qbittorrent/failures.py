"""Translates the failures of an HTTP exchange into the errors of this client."""

import errno
import os
import ssl

import aiohttp

from .errors import (
    AnswerTooLongError,
    CannotConnectError,
    CertificateError,
    HandshakeError,
    NoTlsError,
    ProtocolError,
    ServerError,
    TimedOutError,
)


async def read_limited(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Read an answer of at most `limit` bytes; raises AnswerTooLongError for a longer one."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise AnswerTooLongError(
                f"the answer is longer than {limit} bytes", maybe_done=response.status < 400
            )
    return bytes(body)


_KIND_OF_ERROR: tuple[tuple[type[BaseException], type[ServerError], bool, str], ...] = (
    # aiohttp's class, ours, whether the request may have been sent, and what happened;
    # the first match counts, as aiohttp's classes derive from each other
    (aiohttp.ClientConnectorCertificateError, CertificateError, False, "certificate not trusted"),
    (aiohttp.ClientSSLError, HandshakeError, False, "no agreement on TLS"),
    (aiohttp.ConnectionTimeoutError, TimedOutError, False, "no connection in time"),
    (aiohttp.ClientConnectorDNSError, CannotConnectError, False, "host name not found"),
    (aiohttp.ClientConnectorError, CannotConnectError, False, "no connection"),
    (aiohttp.InvalidURL, ProtocolError, False, "no request can be sent to this address"),
    (TimeoutError, TimedOutError, True, "time limit reached"),
    (aiohttp.ClientResponseError, ProtocolError, True, "the answer is not HTTP"),
    (aiohttp.ClientPayloadError, CannotConnectError, True, "answer cut off"),
    (aiohttp.ClientConnectionError, CannotConnectError, True, "connection cut"),
    (OSError, CannotConnectError, True, "connection failed"),
    (Exception, ProtocolError, True, "the request failed"),
)


def server_error(err: BaseException) -> ServerError:
    """Return the error of this client for aiohttp's, without its text, which may hold the address.

    What the gate raised in the middle of a request is returned as it is.
    """
    if isinstance(err.__cause__, ServerError):
        return err.__cause__
    if isinstance(err, aiohttp.ClientConnectorSSLError) and _is_no_tls(err.os_error):
        return NoTlsError("the port does not speak TLS")
    error_type, maybe_done, detail = next(
        (ours, maybe, words)
        for theirs, ours, maybe, words in _KIND_OF_ERROR
        if isinstance(err, theirs)
    )
    return error_type(_system_words(err) or detail, maybe_done=maybe_done)


def _system_words(err: BaseException) -> str:
    """Return why the system refused a connection ("connection refused"), or ""."""
    if type(err) is not aiohttp.ClientConnectorError:
        return ""
    number = err.os_error.errno or 0
    return os.strerror(number).lower() if number in errno.errorcode else ""


def _is_no_tls(err: OSError) -> bool:
    """Tell whether what came back could not be read as TLS, as OpenSSL puts it."""
    return isinstance(err, ssl.SSLError) and err.reason == "WRONG_VERSION_NUMBER"

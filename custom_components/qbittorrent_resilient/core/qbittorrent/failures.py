"""What can go wrong in an HTTP exchange, and what each failure says of the instance."""

import aiohttp

from ..errors import InstanceError, TooLongError
from ..models import InstanceStatus


async def read_limited(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Read an answer of at most `limit` bytes."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise TooLongError(
                InstanceStatus.ERROR,
                f"the answer is longer than {limit} bytes",
                maybe_done=response.status < 400,
            )
    return bytes(body)


_STATUS_OF_ERROR: tuple[tuple[type[BaseException], InstanceStatus, bool], ...] = (
    # the error, what it says of the instance, and whether the request may have been sent;
    # the first that fits counts: aiohttp's classes derive from each other
    (aiohttp.ClientSSLError, InstanceStatus.SSL_ERROR, False),
    (aiohttp.ConnectionTimeoutError, InstanceStatus.TIMEOUT, False),
    (aiohttp.ClientConnectorError, InstanceStatus.UNREACHABLE, False),
    (aiohttp.InvalidURL, InstanceStatus.ERROR, False),
    (TimeoutError, InstanceStatus.TIMEOUT, True),
    (aiohttp.ClientResponseError, InstanceStatus.ERROR, True),
    (aiohttp.ClientPayloadError, InstanceStatus.UNREACHABLE, True),
    (aiohttp.ClientConnectionError, InstanceStatus.UNREACHABLE, True),
    (OSError, InstanceStatus.UNREACHABLE, True),
    (Exception, InstanceStatus.ERROR, True),
)


def instance_error(err: BaseException) -> InstanceError:
    """Return what an error of the HTTP library means; its own text may hold the address.

    One that the gate raised in the middle of a request is returned as it was.
    """
    if isinstance(err.__cause__, InstanceError):
        return err.__cause__
    status, maybe_done = next(
        (status, maybe) for kind, status, maybe in _STATUS_OF_ERROR if isinstance(err, kind)
    )
    return InstanceError(status, type(err).__name__, maybe_done=maybe_done)

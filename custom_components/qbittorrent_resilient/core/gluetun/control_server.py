"""Asks a gluetun's control server how its tunnel is.

Only two routes are asked, with GET. Others of its routes hold private keys and passwords.
"""

import asyncio
from base64 import b64encode

import aiohttp

from .look import GluetunLook, Reply, TunnelState, judge, reply
from .settings import GluetunSettings

STATUS_PATH = "/v1/vpn/status"
"""`/v1/openvpn/status` is no substitute: with WireGuard it says `stopped`, whatever is so."""
PUBLIC_IP_PATH = "/v1/publicip/ip"
LOOK_SECONDS = 1.8
"""Time limit of a look, connection included: gluetun answers from memory, and a kernel repeats a
lost SYN after 1 s. Three silent looks with 2 s between them take less than 10 s."""
ANSWER_BYTES = 64 * 1024
"""Both answers have a few hundred bytes."""


class ControlServer:
    """The control server of one gluetun."""

    def __init__(self, http_session: aiohttp.ClientSession, settings: GluetunSettings) -> None:
        """Ask through `http_session`, whose owner closes it."""
        self._http = http_session
        self._url = settings.url
        # No connection is kept: gluetun closes an idle one after 3 s, maybe just as it is used.
        self._headers = {"Connection": "close"}
        # In headers only: in a query, a key would be part of the route that gluetun compares.
        if settings.api_key:
            self._headers["X-API-Key"] = settings.api_key
        if settings.username or settings.password:
            credentials = f"{settings.username}:{settings.password}".encode(errors="replace")
            self._headers["Authorization"] = f"Basic {b64encode(credentials).decode()}"

    async def look(self) -> GluetunLook:
        """Ask both routes at the same time, within LOOK_SECONDS; every failure is a state."""
        return judge(*await asyncio.gather(self._ask(STATUS_PATH), self._ask(PUBLIC_IP_PATH)))

    async def _ask(self, path: str) -> Reply:
        try:
            async with self._http.get(
                f"{self._url}{path}",
                headers=self._headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=LOOK_SECONDS),
            ) as response:
                body = await _read(response)
                return Reply(TunnelState.FOREIGN) if body is None else reply(response.status, body)
        except aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError, OSError:
            return Reply(TunnelState.SILENT)
        except aiohttp.ClientError, ValueError:  # no HTTP, or a key that no header can hold
            return Reply(TunnelState.FOREIGN)


async def _read(response: aiohttp.ClientResponse) -> bytes | None:
    """Read an answer of at most ANSWER_BYTES; return None for a longer one."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > ANSWER_BYTES:
            return None
    return bytes(body)

"""Accepts connections for the fake, and can stop at any moment.

`asyncio.Server` cannot: one that is closed between the accept and its turn in the loop raises an
AssertionError there, which Home Assistant's test fixtures take for a fault of the test.
"""

import asyncio
from collections.abc import Callable
from functools import partial
import socket
import ssl

BACKLOG = 512


class Listener:
    """Listens at a bound socket from now on, until it is closed."""

    def __init__(
        self,
        bound: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        *,
        tls: ssl.SSLContext | None,
    ) -> None:
        """Serve each connection by a new `protocol`, after its TLS handshake if there is `tls`."""
        self._socket = bound
        self._protocol = protocol
        self._tls = tls
        self._connecting: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        bound.listen(BACKLOG)
        self._loop.add_reader(bound, self._accept)

    def close(self) -> None:
        """Accept no more; what has not been handed to its protocol yet is cut."""
        self._loop.remove_reader(self._socket)
        self._socket.close()
        for task in self._connecting:
            task.cancel()

    async def wait_closed(self) -> None:
        """Wait until that is done."""
        await asyncio.gather(*self._connecting, return_exceptions=True)

    def _accept(self) -> None:
        try:
            accepted, _ = self._socket.accept()
        except OSError:  # it was given up meanwhile
            return
        accepted.setblocking(False)
        task = self._loop.create_task(self._connect(accepted), name="fake server connects")
        self._connecting.add(task)
        task.add_done_callback(partial(self._connected, accepted))

    async def _connect(self, accepted: socket.socket) -> None:
        await self._loop.connect_accepted_socket(self._protocol, accepted, ssl=self._tls)

    def _connected(self, accepted: socket.socket, task: asyncio.Task[None]) -> None:
        """Close a connection that was cut, or whose TLS handshake failed."""
        self._connecting.discard(task)
        if task.cancelled() or task.exception() is not None:
            accepted.close()

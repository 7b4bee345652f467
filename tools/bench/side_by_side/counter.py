"""A cable to a server that counts what passes: requests, log-ins and bytes; and can be cut."""

import asyncio
from typing import override
from urllib.parse import urlsplit

from tests.support.harness.forwarder import Forwarder

REQUEST_END = b" HTTP/1.1\r\n"
LOG_IN = b"/auth/login HTTP/1.1\r\n"
ADD = b"/torrents/add HTTP/1.1\r\n"


class Counter(Forwarder):
    """A port mapping that counts; `received` are bytes to the server, `sent` those from it."""

    def __init__(self, url: str) -> None:
        """Pass on to this server, once entered."""
        super().__init__(url)
        self.requests = self.log_ins = self.sent = 0
        self.cut_next_add = False
        """Whether the answer to the next add is lost, after the server has given it."""
        self._cutting = False  # the add has passed
        self._pulled = False

    def point_to(self, url: str) -> None:
        """Pass on to another server from now on."""
        self._parts = urlsplit(url)

    def pull(self) -> None:
        """Cut all connections, and let nothing through."""
        self._pulled = True
        for task in self._running:
            task.cancel()

    def plug_in(self) -> None:
        """Let everything through again."""
        self._pulled = False

    @override
    def forget(self) -> None:
        """Count from zero."""
        super().forget()
        self.requests = self.log_ins = self.sent = 0

    @override
    async def _both_ways(
        self,
        near: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        far: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        """Hang up at once while the cable is pulled."""
        if not self._pulled:
            await super()._both_ways(near, far)

    @override
    def _came(self, data: bytes) -> None:
        """Count what comes."""
        super()._came(data)
        self.requests += data.count(REQUEST_END)
        self.log_ins += data.count(LOG_IN)
        self._cutting = self.cut_next_add and (self._cutting or ADD in data)

    @override
    def _goes(self, data: bytes) -> bool:
        """Count what goes, unless it is the answer that gets lost."""
        if self._cutting:
            self.cut_next_add = self._cutting = False
            return False
        self.sent += len(data)
        return True

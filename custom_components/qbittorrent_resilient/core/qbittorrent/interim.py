"""Ends a flood of answers to one request: HTTP lets a server send any number of interim ones.

`100 Continue` has 25 bytes, so one piece from the network may have ten thousand of them. To read
these takes a tenth of a second, in which the event loop does nothing else.
"""

from functools import partial
from typing import override

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpProcessingError

MOST_ANSWERS = 50
"""Unread ones on one connection; a server says `102 Processing` or `103 Early Hints` once or so."""
_PIECE = 16 * 1024
"""Bytes that are parsed before it is counted, in some 5 ms."""


class _Responses(ResponseHandler):
    """One connection, which is closed where more answers come than anybody reads."""

    @override
    def data_received(self, data: bytes) -> None:
        """Take in what came, piece by piece; empty data mean that a pause is over."""
        for start in range(0, max(len(data), 1), _PIECE):
            super().data_received(data[start : start + _PIECE])
            if len(self) > MOST_ANSWERS:
                if self.transport is not None:
                    self.transport.close()
                self.set_exception(HttpProcessingError(message="too many answers"))
                return


def end_floods(connector: aiohttp.TCPConnector) -> None:
    """Have connections that this connector makes from now on end where a flood begins."""
    kind: type[ResponseHandler] = _Responses
    connector._factory = partial(kind, loop=connector._loop)  # noqa: SLF001 - no other way

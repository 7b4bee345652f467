"""What a request has for a body: a form, and one with magnets, which must not arrive late."""

import asyncio
from collections.abc import Mapping
import contextlib
import socket
import struct
from typing import override

from aiohttp import BytesPayload
from aiohttp.abc import AbstractStreamWriter
from yarl import URL

from .gate import Gate


class Form(BytesPayload):
    """A form, encoded as a query is: yarl does that four times as fast as aiohttp would."""

    def __init__(self, form: Mapping[str, str]) -> None:
        """Encode the form."""
        encoded = URL.build(query=form).raw_query_string.encode()
        super().__init__(encoded, content_type="application/x-www-form-urlencoded")


class AddForm(Form):
    """A form with magnets: asks the gate before its first byte is sent, and never arrives late.

    aiohttp holds the headers back until there is a body. Looking the name up and connecting lie
    between the first question at the gate and this one, and may take seconds. A kernel goes on
    for minutes to deliver what its program has given up, unless the socket says not to linger.
    """

    def __init__(self, form: Mapping[str, str], gate: Gate | None) -> None:
        """Keep the gate."""
        super().__init__(form)
        self._gate = gate
        self._transport: asyncio.WriteTransport | None = None

    @override
    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        """Write, unless the gate refuses."""
        if self._gate is not None:
            await self._gate(handing_over=True)
        self._transport = getattr(writer, "transport", None)
        self._drop_what_is_unsent(when_closed=True)
        await super().write_with_length(writer, content_length)

    def over(self, *, answered: bool) -> None:
        """Give up what has not arrived; where an answer came, the connection may live on."""
        if answered:
            self._drop_what_is_unsent(when_closed=False)
        elif self._transport is not None:
            self._transport.abort()

    def _drop_what_is_unsent(self, *, when_closed: bool) -> None:
        if self._transport is None:
            return
        if (opened := self._transport.get_extra_info("socket")) is not None:
            with contextlib.suppress(OSError):  # it has been closed
                linger = struct.pack("ii", when_closed, 0)
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

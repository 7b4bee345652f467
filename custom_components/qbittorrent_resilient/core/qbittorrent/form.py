"""The bodies of requests: a form, and a form with magnets, which must not arrive late."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
import contextlib
import secrets
import socket
import struct
from typing import override

from aiohttp import BytesPayload, Payload
from aiohttp.abc import AbstractStreamWriter
from yarl import URL

from .gate import Content, Gate

PART_BYTES = 64 * 1024

type TorrentPart = tuple[str, bytes]
"""The info-hash of a torrent, and its file."""


class Form(BytesPayload):
    """A form, encoded as a query is: yarl does that four times as fast as aiohttp would."""

    def __init__(self, form: Mapping[str, str]) -> None:
        """Encode the form."""
        encoded = URL.build(query=form).raw_query_string.encode()
        super().__init__(encoded, content_type="application/x-www-form-urlencoded")


class AddPayload(Payload):
    """What adds torrents: asks the gate before its first byte is sent, and never arrives late.

    aiohttp holds the headers back until there is a body. Between the first question to the gate and
    this one, the name is looked up and the connection made, which may take seconds. A kernel tries
    for minutes to deliver what its program has given up, unless the socket must not linger.
    """

    gate: Gate | None = None
    confirm: Callable[[], None] | None = None
    _transport: asyncio.WriteTransport | None = None

    async def permitted(self, writer: AbstractStreamWriter) -> None:
        """Ask the gate, then `confirm`, before anything is written; both may raise ServerError."""
        if self.gate is not None:
            await self.gate(Content.MAGNETS)
        if self.confirm is not None:
            self.confirm()
        self._transport = getattr(writer, "transport", None)
        self._drop_what_is_unsent(when_closed=True)

    def over(self, *, answered: bool) -> None:
        """Keep the connection if an answer came, else give up what has not arrived."""
        if answered:
            self._drop_what_is_unsent(when_closed=False)
        elif self._transport is not None:
            self._transport.abort()

    def _drop_what_is_unsent(self, *, when_closed: bool) -> None:
        if self._transport is None:
            return
        if (opened := self._transport.get_extra_info("socket")) is not None:
            with contextlib.suppress(OSError):  # the socket has been closed
                linger = struct.pack("ii", when_closed, 0)
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


class AddForm(AddPayload, Form):
    """A form with magnets."""

    def __init__(self, form: Mapping[str, str], gate: Gate | None) -> None:
        """Keep the gate."""
        super().__init__(form)
        self.gate = gate

    @override
    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        """Write the form, unless the gate raises GateClosedError."""
        await self.permitted(writer)
        await super().write_with_length(writer, content_length)


class AddFiles(AddPayload):
    """A form with torrent files; it is written in parts, so that nothing else has to wait."""

    def __init__(
        self, form: Mapping[str, str], files: Sequence[TorrentPart], gate: Gate | None
    ) -> None:
        """Put the parts together, with a boundary that is in none of them."""
        boundary = secrets.token_hex(16)
        super().__init__(None, content_type=f"multipart/form-data; boundary={boundary}")
        self.gate = gate
        self._content = b"".join(_multipart(form, files, boundary))
        self._size = len(self._content)

    @override
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the form as a text."""
        return self._content.decode(encoding, errors)

    @override
    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """Return the form as it is sent."""
        return self._content

    @override
    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write the form, unless the gate raises GateClosedError."""
        await self.write_with_length(writer, None)

    @override
    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        """Write the form, unless the gate raises GateClosedError."""
        await self.permitted(writer)
        for at in range(0, len(self._content), PART_BYTES):
            await writer.write(self._content[at : at + PART_BYTES])


def _multipart(
    form: Mapping[str, str], files: Sequence[TorrentPart], boundary: str
) -> Iterator[bytes]:
    """Yield the parts of a form; names are ours, and no foreign text is in a header."""
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="'
    for name, value in form.items():
        yield f'{part}{name}"\r\n\r\n{value}\r\n'.encode()
    for info_hash, data in files:
        head = f'{part}torrents"; filename="{info_hash}.torrent"\r\n'
        yield f"{head}Content-Type: application/x-bittorrent\r\n\r\n".encode()
        yield data
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()

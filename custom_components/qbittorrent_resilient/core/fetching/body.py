"""Reads the body of an answer up to a limit, which also holds for what it decompresses to."""

import zlib

import aiohttp

_PIECE = 64 * 1024
MOST_MEMBERS = 10_000
"""Parts of a gzip body; a server that compresses line by line makes a few hundred."""
_GZIP_MARK = b"\x1f\x8b"


class BodyTooLongError(Exception):
    """The body, or what it decompresses to, is longer than the limit."""


class UnreadableBodyError(Exception):
    """The body is compressed in a way that was not asked for, or not as it says."""


async def read_body(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    """Return the body; raises BodyTooLongError, UnreadableBodyError and aiohttp's errors.

    The session must not decompress: it would do so before anybody could count.
    """
    encoding = answer.headers.get("Content-Encoding", "").strip().lower()
    unpacked = _unpacked(encoding, limit)
    found = bytearray()
    received = 0
    async for piece in answer.content.iter_chunked(_PIECE):
        received += len(piece)
        if received > limit:
            raise BodyTooLongError("longer than the limit")
        if unpacked is None:
            found += piece
        else:
            unpacked.take(piece)
    return bytes(found) if unpacked is None else unpacked.end()


def _unpacked(encoding: str, limit: int) -> _Unpacked | None:
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _Unpacked(limit)
    raise UnreadableBodyError("compressed in an unknown way")


class _Unpacked:
    """What a compressed body decompresses to: gzip, zlib or raw deflate, whichever it is.

    A gzip body may have several members, with zeros between them (RFC 1952); whatever else follows
    the last one is left out, as browsers do.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._found = bytearray()
        self._rest = b""
        self._member: zlib._Decompress | None = None
        self._members = 0
        self._is_followed = False
        """Whether something else follows the last member."""

    def take(self, piece: bytes) -> None:
        """Take the next piece of the body; raises BodyTooLongError and UnreadableBodyError."""
        if self._is_followed:
            return
        self._rest += piece
        while self._rest and (member := self._member or self._next()) is not None:
            self._go_on(member)

    def end(self) -> bytes:
        """Return it all; raises UnreadableBodyError if the end is missing."""
        if self._member is not None or not self._members:
            raise UnreadableBodyError("ends before its end")
        return bytes(self._found)

    def _next(self) -> zlib._Decompress | None:
        """Return what decompresses the next member; None if there is none, as far as is known."""
        if not self._members:
            # Many servers mean raw deflate by "deflate"; zlib begins with another digit.
            is_raw = self._rest[:1] != _GZIP_MARK[:1] and self._rest[0] & 0x0F != zlib.DEFLATED
            bits = -zlib.MAX_WBITS if is_raw else zlib.MAX_WBITS | 32
        else:
            self._rest = self._rest.lstrip(b"\0")
            if not self._rest.startswith(_GZIP_MARK):
                self._is_followed = not _GZIP_MARK.startswith(self._rest)
                return None
            bits = zlib.MAX_WBITS | 16
        self._members += 1
        if self._members > MOST_MEMBERS:
            raise UnreadableBodyError("compressed in too many parts")
        return zlib.decompressobj(bits)

    def _go_on(self, member: zlib._Decompress) -> None:
        """Decompress what belongs to this member."""
        try:
            self._found += member.decompress(self._rest, self._limit + 1 - len(self._found))
        except zlib.error:
            raise UnreadableBodyError("not compressed as it says") from None
        if len(self._found) > self._limit:
            raise BodyTooLongError("longer than the limit")
        self._rest = member.unused_data
        self._member = None if member.eof else member

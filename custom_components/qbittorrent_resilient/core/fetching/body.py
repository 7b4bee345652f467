"""Reads the body of an answer up to a limit, which also holds for what it decompresses to."""

import zlib

import aiohttp

_PIECE = 64 * 1024


class BodyTooLongError(Exception):
    """The body, or what it decompresses to, is longer than the limit."""


class UnreadableBodyError(Exception):
    """The body is compressed in a way that was not asked for, or not as it says."""


async def read_body(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    """Return the body; raises BodyTooLongError, UnreadableBodyError and aiohttp's errors.

    The session must not decompress: it would do so before anybody could count.
    """
    encoding = answer.headers.get("Content-Encoding", "").strip().lower()
    unpack = _unpacker(encoding)
    found = bytearray()
    received = 0
    async for piece in answer.content.iter_chunked(_PIECE):
        received += len(piece)
        try:
            found += piece if unpack is None else unpack.decompress(piece, limit + 1 - len(found))
        except zlib.error:
            raise UnreadableBodyError("not compressed as it says") from None
        if max(received, len(found)) > limit:
            raise BodyTooLongError("longer than the limit")
    if unpack is not None and not unpack.eof:
        raise UnreadableBodyError("ends before its end")
    return bytes(found)


def _unpacker(encoding: str) -> zlib._Decompress | None:
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, whichever it is
    raise UnreadableBodyError("compressed in an unknown way")

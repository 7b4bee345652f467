"""One HTTP answer, and the JSON in it, which is bounded before it is parsed.

Whatever a server answers is read in time that grows with its length, and holds nothing else up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from .errors import ProtocolError

MOST_PARTS = 150_000
"""Commas and brackets of JSON; a full log of 20,000 messages has 100,000. The parser holds up the
event loop, from a thread as well: 8 MiB of empty lists for 0.7 s, this many parts for 0.03 s."""
_MOST_QUOTES = 4 * MOST_PARTS + 4
"""Of JSON with so many parts: a name and a text between two commas."""
_BLOCK = 64 * 1024
"""Bytes that are looked at in one go, some 1 ms; in a thread, others have their turn between."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, read to its end.

    `set_cookies` has None for a cookie that it deletes. `leads_to` is where a redirect goes,
    without query and credentials. `wants_login` tells whether HTTP itself asks for a login, as a
    proxy does and qBittorrent never. `date` is its `Date`: what the server's own clock says.
    """

    status: int
    content_type: str
    body: bytes = field(repr=False)
    set_cookies: Mapping[str, str | None] = field(default_factory=dict, repr=False, hash=False)
    leads_to: str = ""
    wants_login: bool = False
    date: str = field(default="", repr=False, compare=False)

    @property
    def text(self) -> str:
        """Return the body as text, whatever its bytes."""
        return self.body.decode(errors="replace").strip()

    @property
    def is_page(self) -> bool:
        """Tell whether it is a page for people, from a proxy or another program."""
        return self.content_type == "text/html"

    @property
    def outline(self) -> str:
        """Return its status, and where it leads, in words for an error."""
        leads_to = f", which leads to {self.leads_to}" if self.leads_to else ""
        return f"status {self.status}{leads_to}"

    def json(self) -> Any:
        """Return the parsed body; raises ProtocolError if it is no JSON or has too many parts."""
        if _has_too_many_parts(self.body):
            raise ProtocolError("the answer has too many parts")
        try:
            return orjson.loads(self.body)
        except ValueError:
            pass  # the error of the library has the whole answer in it
        raise ProtocolError("the answer is not JSON")


def _has_too_many_parts(body: bytes) -> bool:
    """Tell whether there are more than MOST_PARTS commas and brackets outside of texts.

    Without backslashes that escape something in pairs, and without escaped quotes, each quote
    begins or ends a text.
    """
    if sum(map(body.count, b",[{")) <= MOST_PARTS:
        return False  # not even if all of them are outside of texts
    parts = quotes = 0
    in_text, rest = False, b""
    for start in range(0, len(body), _BLOCK):
        block = rest + body[start : start + _BLOCK]
        backslashes = len(block) - len(block.rstrip(b"\\"))
        rest = b"\\" if backslashes % 2 else b""  # it escapes what the next block begins with
        pieces = block.removesuffix(rest).replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')
        outside = b"".join(pieces[in_text::2])
        parts += sum(map(outside.count, b",[{"))
        quotes += len(pieces) - 1
        if parts > MOST_PARTS or quotes > _MOST_QUOTES:
            return True
        in_text ^= len(pieces) % 2 == 0
    return False

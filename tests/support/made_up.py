"""Made-up input for the tests of the engine: magnet links, and what is almost one."""

import base64
from collections.abc import Callable
import re

from hypothesis import HealthCheck, settings, strategies as st

WHITELISTED = re.compile(r"magnet:\?xt=urn:bt(ih:[0-9a-f]{40}|mh:1220[0-9a-f]{64})(&[!-~]*)?")
"""All that may ever reach a server."""
FUZZ = settings(
    max_examples=100,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""No deadline: the machine may be busy. No memory: a run leaves no files."""

HOSTILE = [
    *"\x00\t\n\r\x0b\x0c\x1b\x7f\x85\xa0\u2028\u2029\ud800\udfff",
    *"\u200b\u200d\u202e\u2066\ufeff\uff1a\uff1f\uff4d\u212a\u017f\u0130",
    *"&=?%+#;|, /\\",
    "&amp;",
    "&amp;amp;",
    "amp;",
    "%00",
    "%0A",
    "%0d%0a",
    "%zz",
    "%E2%84%AA",
    "%ff",
    "magnet:?",
    "MAGNET:?",
    "magnet%3A%3F",
    "http://127.0.0.1:9/a.torrent",
    "file:///etc/passwd",
    "xt=",
    "XT=",
    "xt.=",
    "xt.1=",
    "xt.a=",
    "xt%2E1=",
    "xs=",
    "as=",
    "ws=",
    "so=0-99999999999",
    "dn=",
    "tr=",
    "x.pe=",
    "urn:btih:",
    "URN:BTIH:",
    "urn%3Abtih%3A",
    "urn:btmh:1220",
    "urn:ed2k:",
]


def attempt[T, E: Exception](kind: type[E], call: Callable[[], T]) -> T | E:
    """Return what a call returns, or the one kind of error that it may raise."""
    try:
        return call()
    except kind as err:
        return err


def _hex(size: int) -> st.SearchStrategy[str]:
    return st.binary(min_size=size, max_size=size).filter(any).map(bytes.hex)


def _base32(digits: str) -> str:
    return base64.b32encode(bytes.fromhex(digits)).decode()


_V1 = st.sampled_from(["1" * 40, "ab" * 20]) | _hex(20)
_V2 = st.sampled_from(["2" * 64, "cd" * 32]) | _hex(32)
_PLAIN = st.text(st.characters(codec="ascii", exclude_characters="&\x7f", min_codepoint=32))


@st.composite
def links(draw: st.DrawFn) -> tuple[str, str]:
    """Return a right link, as odd as one may be, and its info-hash."""
    v1, v2 = draw(_V1), draw(_V2)
    written = draw(st.sampled_from([v1, v1.upper(), _base32(v1), _base32(v1).lower()]))
    first, second = f"urn:btih:{written}", f"urn:btmh:1220{v2}"
    topics = draw(st.sampled_from([[first], [second], [first, second], [second, first]]))
    more = draw(st.lists(st.tuples(st.sampled_from(["dn", "tr", "x.pe", "ws", "xs", "k"]), _PLAIN)))
    parts = [f"{draw(st.sampled_from(['xt', 'XT', 'xt.1', 'xt.']))}={one}" for one in topics]
    parts += [f"{key}={value.replace('magnet:?', '')}" for key, value in more]
    joint = draw(st.sampled_from(["&", "&amp;", "&&"]))
    text = "magnet:?" + joint.join(draw(st.permutations(parts)))
    return text, v1 if first in topics else v2


@st.composite
def near_links(draw: st.DrawFn) -> str:
    """Return what is a link, or was one before hostile hands had it."""
    digits = st.one_of(_V1, _V2, _V1.map(_base32))
    pieces = st.one_of(st.sampled_from(HOSTILE), digits, st.text(max_size=4))
    text = draw(
        st.one_of(
            links().map(lambda one: one[0]),
            st.lists(pieces, max_size=12).map(lambda some: "magnet:?" + "".join(some)),
            st.lists(pieces, max_size=5).map("".join),
        )
    )
    for _ in range(draw(st.integers(0, 3))):
        where = draw(st.integers(0, len(text)))
        cut = draw(st.integers(0, 2))
        text = text[:where] + draw(pieces) + text[where + cut :]
    return text

"""Foreign text is read in time that grows with its length: eight times as long, eight times."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
import importlib
from itertools import product
from pathlib import Path
import pkgutil
import re
from time import thread_time
from typing import Any

import pytest
from yarl import URL

from custom_components import qbittorrent_resilient as integration
from custom_components.qbittorrent_resilient.core import excerpt, intake, link_text
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.qbittorrent import (
    answer,
    cookies,
    dialect,
    exchange,
    log,
    network,
    pasted,
    proxy,
    url,
)
from custom_components.qbittorrent_resilient.core.qbittorrent.answer import Answer

SMALL, TIMES = 1_000, 8
TOO_MUCH = 3 * TIMES
"""What grows with the square takes 64 times as long."""
NEGLIGIBLE = 0.004
"""Seconds of the CPU: what is not even this long for the long text cannot be measured, or hurt."""


def seconds(run: Callable[[], object]) -> float:
    """Return the CPU time of this thread, the best of three."""
    best = float("inf")
    for _ in range(3):
        start = thread_time()
        with suppress(Exception):  # refused, which takes its time, too
            run()
        best = min(best, thread_time() - start)
        if best < NEGLIGIBLE / TIMES:
            break
    return best


def grows_too_fast(read: Callable[[Any], object], make: Callable[[int], Any]) -> str:
    """Return what was measured, or nothing if all is well."""
    long = make(SMALL * TIMES)
    if (slow := seconds(lambda: read(long))) < NEGLIGIBLE:
        return ""
    short = make(SMALL)
    fast = seconds(lambda: read(short))
    return f"{fast:.4f} s, then {slow:.4f} s" if slow > fast * TOO_MUCH else ""


def modules() -> Iterator[Any]:
    """Yield every module of the integration."""
    for found in pkgutil.walk_packages(integration.__path__, f"{integration.__name__}."):
        yield importlib.import_module(found.name)


def uses() -> dict[str, Callable[[str], object]]:
    """Return every use of a regular expression in the integration, by module, name and method."""
    found: dict[str, Callable[[str], object]] = {}
    for module in modules():
        source = Path(module.__file__).read_text()
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                for method in sorted(set(re.findall(rf"\b{name}\.(\w+)\(", source))):
                    place = module.__name__.removeprefix(f"{integration.__name__}.")
                    found[f"{place}.{name}.{method}"] = use(value, method)
    return found


def use(pattern: re.Pattern[Any], method: str) -> Callable[[str], object]:
    """Return a function that applies one method of an expression to a text, and reads on."""
    run = getattr(pattern, method)
    encode = str.encode if isinstance(pattern.pattern, bytes) else str
    if method in ("sub", "subn"):
        return lambda text: run(encode(""), encode(text))
    return lambda text: list(run(encode(text)) or "") if method == "finditer" else run(encode(text))


USES = uses()


def test_expressions_are_in_modules() -> None:
    """None is made elsewhere, where it would not be found here."""
    for module in modules():
        source = Path(module.__file__).read_text()
        assert not re.search(r"\bre\.(?!compile|IGNORECASE|DOTALL|ASCII|Pattern|Match)", source)
        assert not re.search(r"^[ \t]+.*re\.compile\(", source, re.MULTILINE), module.__name__


PIECES = [
    *(
        '"',
        "\\",
        '\\"',
        "&",
        "amp;",
        "&amp;",
        "%",
        "%4",
        " ",
        "\t",
        "\n",
        "-",
        ".",
        ":",
        "/",
        "=",
        ",",
    ),
    *("a", "0", "Z", "é", "\u202e", "xt", "xt.1", "magnet:?", "<", ">", "[", "(", "*", "_", "v1."),
    *("fastresume", "resume ", "resume data", "urn:btih:", "http://", ";"),
]


@pytest.mark.parametrize("name", USES)
def test_every_expression(name: str) -> None:
    """Each of them, at texts of all pairs of what may matter to one of them."""
    wrong = {}
    for first, second in product(PIECES, repeat=2):
        told = grows_too_fast(USES[name], lambda n, a=first, b=second: a + b * (n // len(b)))
        if told:
            wrong[first, second] = told
    assert not wrong


BODIES: dict[str, tuple[bytes, bytes]] = {
    "unclosed": (b'["', b'\\"'),
    "quotes": (b"[", b'"'),
    "open": (b"[", b'"a'),
    "backslashes": (b'["', b"\\"),
    "texts": (b"[", b'"a",'),
    "commas in a text": (b'["', b","),
    "lists": (b"[", b"["),
    "empty lists": (b"[", b"[],"),
    "objects": (b"[", b'{"a":'),
    "rows": (b"[", b'{"hash":"a"},'),
    "messages": (b"[", b'{"id":1,"message":"fastresume","timestamp":1,"type":8},'),
    "digits": (b"[", b"9"),
    "blanks": (b"[", b" "),
    "words": (b"", b"resume "),
    "bytes": (b"", b"\xff"),
}
READERS: dict[str, Callable[[Answer], object]] = {
    "log": lambda one: log.read_log(one, log.LogPart()),
    "first logged": log.read_first_logged,
    "addresses": dialect.read_addresses,
    "settings": lambda one: network.read_binding(one, one),
    "list": dialect.read_listed,
    "connection": dialect.read_connection_status,
    "launch": dialect.read_launch_time,
    "add": dialect.read_add,
    "login": dialect.read_login,
    "version": dialect.read_version,
}


@pytest.mark.parametrize("ending", [b"", b"0]"])
@pytest.mark.parametrize("reader", READERS)
def test_answers(reader: str, ending: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each meaning, of texts so long that their parts are counted, in blocks."""
    monkeypatch.setattr(answer, "MOST_PARTS", 5_000)
    monkeypatch.setattr(answer, "_BLOCK", 1_024)

    def make(length: int, start: bytes, piece: bytes) -> Answer:
        return Answer(200, "application/json", start + piece * (10 * length // len(piece)) + ending)

    told = {
        name: grows_too_fast(READERS[reader], partial(make, start=start, piece=piece))
        for name, (start, piece) in BODIES.items()
    }
    assert not any(told.values()), told


OTHERS: dict[str, tuple[Callable[[Any], object], list[Callable[[int], Any]]]] = {
    "magnet": (
        Magnet.parse,
        [
            lambda n, one=one: "magnet:?xt=urn:btih:" + one * (n // len(one))
            for one in (
                "&",
                "&amp;",
                "&amp",
                "&a=b",
                "&xt=urn:btih:",
                "%41",
                "é",
                " ",
                "&dn=+",
                "magnet:?",
            )
        ],
    ),
    "texts": (
        intake.take_in,
        [
            lambda n, one=one: one * (n // len(one))
            for one in (
                *(" a", "magnet:?", "\nmagnet:?", '"', "<", "a", " ", "\r\n", "magnet:?xt=a "),
                *("<magnet:?", '"magnet:?', "(magnet:?", "=magnet:?", "<a href=magnet:?", "\n'"),
                *(
                    "magnet%3A%3F",
                    " magnet%3A%3F",
                    "http://",
                    " http://",
                    "]]>",
                    "]magnet:?",
                    "x\n",
                ),
            )
        ],
    ),
    "end of a link": (
        link_text.links_of_line,
        [
            lambda n, a=start, b=piece: f"x {a}magnet:?xt=urn:btih:a&dn=" + b * (n // len(b))
            for start in ("", "'", '"', "\u2018", "<", "(", "](", "[", "=", "<a =", "[a=", "]", ">")
            for piece in (
                *(
                    "'",
                    '"',
                    "\u2019",
                    "\u2019 ",
                    "' ",
                    "')",
                    "(",
                    ")",
                    "()",
                    "<",
                    "</a>",
                    "<br>",
                    "]",
                ),
                *(
                    " ",
                    " &dn=",
                    "&dn=' ",
                    "' &dn",
                    "&amp;",
                    "' &amp;",
                    " http://",
                    "\\n",
                    "\\",
                    ".",
                ),
                *("a", "&", "]]>", '\\"', '"&tr=', '"]', "[/", " <a ", "&tr=a "),
            )
        ],
    ),
    "excerpt": (
        excerpt.excerpt,
        [
            lambda n, one=one: one * (n // len(one))
            for one in (
                "magnet:?xt=&",
                "magnet:?dn=a&",
                "http://a/",
                "@",
                "a ",
                ":",
                "%",
                "&amp;",
                "a",
            )
        ],
    ),
    "url": (
        url.normalise_url,
        [
            lambda n, one=one: f"http://{one * (n // len(one))}"
            for one in ("a", "a.", "é", "[", ":", "/", "@", "%41", "\\")
        ],
    ),
    "pasted url": (
        pasted.read_pasted,
        [
            lambda n, one=one, first=first: f"{first}{one * (n // len(one))}"
            for first in ("", "http://nas", "http://nas/")
            for one in ("a", ".", "[", ":", "/", "@", " ", "<", "/api/v2", ".html", "http:", "%")
        ],
    ),
    "redirect": (
        lambda location: exchange._place(URL("http://127.0.0.1:8080/api/v2/x"), location),
        [
            lambda n, one=one: one * (n // len(one))
            for one in ("/", "../", "a.", "é", "%", "?", "http://", ":", "@", "[", "//a@")
        ],
    ),
    "cookies": (
        lambda header: cookies.changes([header], None),
        [
            lambda n, one=one: f"SID={one * (n // len(one))}"
            for one in ("a", '"', '\\"', "; ", "; Expires=", ";a=", "\\1", ", ", "=")
        ],
    ),
    "expiry": (
        cookies.read_date,
        [
            lambda n, one=one: one * (n // len(one))
            for one in ("Mon, ", "(", "0", " 1", ":", "-", "+")
        ],
    ),
    "many cookies": (
        cookies.bounded,
        [lambda n: {f"c{i}": "v" for i in range(n)}, lambda n: {"SID": "v" * n}],
    ),
    "headers": (
        proxy.parse_headers,
        [
            lambda n: [f"a: {'b' * n}"],
            lambda n: ["a" * n],
            lambda n: [f"a: {' ' * n}b"],
            lambda n: [":"] * n,
        ],
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_texts(name: str) -> None:
    """Links, what a user pastes, addresses, redirects, cookies, headers."""
    read, makers = OTHERS[name]
    told = [grows_too_fast(read, make) for make in makers]
    assert not any(told), told

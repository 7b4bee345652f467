"""Links with names and trackers of all kinds, spelled and wrapped as the world does it."""

from collections.abc import Callable
from html import escape
import json
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from tests.support.delivered import Torrent

NAMES = [
    "Debian 13",
    "[GROUP] A_Name (1080p) {x265}",
    'It\'s "quoted" & <marked>',
    "Ünïcödé 日本語 😀",
    "100 % = a+b; #1? yes, 2/3",
    "",
]
RAW_NAMES = [
    "It's a name (2024) [x265]",
    'The "quoted" one',
    "a <b>bold</b> name",
    "Ünïcödé, 日本語; more",
]
TRACKERS = [
    "udp://tracker.example:6969/announce",
    "http://t.example/announce?passkey=a1&x=%20y",
    "https://[2001:db8::1]/a",
    "wss://w.example",
]
NOISE = [
    "nothing here",
    "http://x.example/page?magnet=1",
    "https://x.example/a.torrent",
    "magnetic: fields & <b>bold</b>",
    "0123456789abcdef0123456789abcdef01234567",
    "file:///etc/passwd",
]


class Links:
    """Makes up links, each of a torrent of its own; `expected` has what servers should read."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.expected: set[Torrent] = set()

    def one(self) -> str:
        """Return a new link, percent-encoded as it should be."""
        digits = self.random.randbytes(20).hex()
        name = self.random.choice(NAMES)
        trackers = tuple(self.random.sample(TRACKERS, self.random.randrange(4)))
        self.expected.add((digits, name, trackers))
        parts = [f"dn={quote(name, safe='')}"] if name else []
        parts += [f"tr={quote(one, safe='')}" for one in trackers]
        if len(trackers) < 2:
            self.random.shuffle(parts)
        return "magnet:?" + "&".join([f"xt=urn:btih:{digits}", *parts])

    def raw(self) -> str:
        """Return a new link whose name nobody encoded; it has a line or a value for itself."""
        digits = self.random.randbytes(20).hex()
        name, trackers = self.random.choice(RAW_NAMES), tuple(TRACKERS[:1])
        self.expected.add((digits, name, trackers))
        return f"magnet:?xt=urn:btih:{digits}&dn={name}&tr={quote(TRACKERS[0], safe='')}"

    def spelled(self) -> str:
        """Return a new link in a spelling that may stand anywhere."""
        link = self.one()
        return self.random.choice(
            [
                link,
                link.replace("magnet:?", "MAGNET:?"),
                link.replace("magnet:?", "magnet://?"),
                link.replace("magnet:?", "magnet:///?"),
                link.replace("&", "&amp;"),
                link.replace("&", "&#38;"),
                link.replace("&", "&#x26;"),
            ]
        )

    def text(self) -> str:
        """Return a text with some links in it, or one, or none."""
        noise = self.random.choice(NOISE)
        shape: Callable[[], str] = self.random.choice(
            [
                self.spelled,
                self.raw,
                lambda: f"{self.raw()}\n{self.raw()}",
                lambda: quote(self.one(), safe=""),
                lambda: f"{self.spelled()}\n{noise}\r\n{self.spelled()}",
                lambda: f"New: {self.spelled()} ({noise})",
                lambda: f'<p>{escape(noise)} <a href="{self.spelled()}">get</a></p>',
                lambda: f"<a href='{self.spelled()}'>get</a><br>\n",
                lambda: f"1. {self.spelled()}\n2. {self.spelled()}\n",
                lambda: noise,
            ]
        )
        return shape()

    def value(self, depth: int = 0) -> Any:
        """Return a value of JSON with some links in it."""
        some = [None, 5, True, "", self.random.choice(NOISE), {}]
        match self.random.randrange(4 if depth < 3 else 2):
            case 0:
                return self.text()
            case 1:
                return self.random.choice(some)
            case 2:
                return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
            case _:
                keys = self.random.sample(["url", "x", "data", "magneturi", "text", "a b"], 3)
                return {key: self.value(depth + 1) for key in keys}

    def post(self) -> dict[str, Any]:
        """Return the body of a post and its type."""
        form = "application/x-www-form-urlencoded"
        boundary = "----Boundary"
        shape: Callable[[], tuple[str, str]] = self.random.choice(
            [
                lambda: (json.dumps(self.value()), "application/json"),
                lambda: (json.dumps({"a": self.value()}), "text/plain"),
                lambda: (json.dumps([self.value()], ensure_ascii=False), ""),
                lambda: (self.text(), "text/plain; charset=utf-8"),
                lambda: (self.one(), form),
                lambda: (f"{self.one()}\n{self.one()}", form),
                lambda: (urlencode({"a": self.text(), "b": self.text()}), form),
                lambda: (f"url={self.one()}", form),
                lambda: (
                    "".join(
                        f'--{boundary}\r\nContent-Disposition: form-data; name="f{n}"'
                        f"\r\n\r\n{self.text()}\r\n"
                        for n in range(3)
                    )
                    + f"--{boundary}--\r\n",
                    f"multipart/form-data; boundary={boundary}",
                ),
            ]
        )
        body, kind = shape()
        return {"data": body.encode(), "headers": {"Content-Type": kind}}

    def entry(self) -> str:
        """Return what is inside an entry of a feed that has one torrent, or none."""
        link = self.one()
        digits = link[20:60]
        written, noise = escape(link), escape(self.random.choice(NOISE))
        cdata = f'<![CDATA[<p>{noise}</p><a href="{written}">Magnet</a>]]>'
        places = [
            f"<link>{written}</link>",
            f'<enclosure url="{written}" type="application/x-bittorrent" length="0"/>',
            f'<guid isPermaLink="false">{written}</guid>',
            f"<description>{cdata}</description>",
            f"<content:encoded>{cdata}</content:encoded>",
            f"<torrent:magnetURI><![CDATA[{link}]]></torrent:magnetURI>",
            f"<magneturi>{written}</magneturi>",
            f'<torznab:attr name="magneturl" value="{written}"/>',
        ]
        chosen = self.random.sample(places, self.random.randint(1, 3))
        chosen.append(f"<torrent:infoHash>{digits}</torrent:infoHash>")
        chosen.append(f"<comments>{noise}</comments>")
        self.random.shuffle(chosen)
        return "".join(chosen)

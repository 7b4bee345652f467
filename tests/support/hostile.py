"""Names that would be more than text wherever they are taken for markup; for the tests of these."""

from typing import Any
from urllib.parse import quote

from tests.support.common import instance, link
from tests.support.fake.server import FakeQBittorrent

ELSEWHERE = "elsewhere.invalid"
"""The host that a page must not ask for anything."""

NAMES = (
    f"![image](http://{ELSEWHERE}/image.png) picture",
    f"<img src='http://{ELSEWHERE}/tag.png' onerror='alert(1)'> tag",
    f"[click me](https://{ELSEWHERE}/link) link",
    f"see https://{ELSEWHERE}/auto and www.{ELSEWHERE} and a@{ELSEWHERE} bare",
    '<ha-alert alert-type="error" title="Your password">is wrong</ha-alert> alert',
    "| a | b |\n|---|---|\n| 1 | 2 | table",
    "**bold** _italic_ __bold__ ~~gone~~ `code` # heading",
    "{{ states('sensor.time') }} {% raw %} template",
    f"&lt;img src=http://{ELSEWHERE}/entity.png&gt; entity",
    "\u202egnp.exe\u202c\u200b\u2066 bidi",
    "> [!WARNING]\n> quote\n- [x] item\n1. one\n---\n\n    indented",
    f"[ref]: http://{ELSEWHERE}/ref '[ref]' ![ref][ref] \\",
    f"<a href='http://{ELSEWHERE}/a'><svg onload=alert(1)><iframe src='//{ELSEWHERE}/f'> html",
    "Z" + "\u0338\u0489\u20dd" * 500 + " marks",
    "x" * 60_000,
)


def hostile_links() -> list[str]:
    """Return magnet links from number 1 on, each with one of the NAMES."""
    return [link(number, name=quote(name)) for number, name in enumerate(NAMES, 1)]


def servers(server: FakeQBittorrent, *titles: str) -> list[Any]:
    """Return subentries with titles that only an import or an old version could give."""
    return [
        {**instance(f"server{place}", server, priority=place), "title": title}
        for place, title in enumerate(titles, 1)
    ]

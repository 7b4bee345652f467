"""Which links are found in a text or a list, and that each arrives whole."""

import pytest

from custom_components.qbittorrent_resilient.core.excerpt import excerpt
from custom_components.qbittorrent_resilient.core.intake import take_in
from custom_components.qbittorrent_resilient.core.link_text import links_of_line

A = "0123456789abcdef0123456789abcdef01234567"
B = "fedcba9876543210fedcba9876543210fedcba98"
ONE = f"magnet:?xt=urn:btih:{A}"
TWO = f"magnet:?xt=urn:btih:{B}"
T = "udp://t.example:1/announce"
U = "http://u.example/passkey/announce"
FULL = f"{ONE}&dn=A+B&tr={T}&tr={U}"

LINES = {
    "alone": (FULL, [FULL]),
    "blanks in the name": (f"{ONE}&dn=A B C", [f"{ONE}&dn=A B C"]),
    "blanks before a tracker": (f"{ONE}&dn=A B C&tr={T}", [f"{ONE}&dn=A B C&tr={T}"]),
    "blanks around ampersands": (f"{ONE} &dn=A &tr={T}", [f"{ONE} &dn=A &tr={T}"]),
    "quotes in the name": (f'{ONE}&dn=The "Best" of&tr={T}', [f'{ONE}&dn=The "Best" of&tr={T}']),
    "apostrophe": (f"{ONE}&dn=Tom's Girls' Night&tr={T}", [f"{ONE}&dn=Tom's Girls' Night&tr={T}"]),
    "brackets": (f"{ONE}&dn=[x] (y) {{z}}&tr={T}", [f"{ONE}&dn=[x] (y) {{z}}&tr={T}"]),
    "address in the name": (
        f"{ONE}&dn=[ https://www.x.example ] A&tr={T}",
        [f"{ONE}&dn=[ https://www.x.example ] A&tr={T}"],
    ),
    "markup in the name": (f"{ONE}&dn=<b>A</b>", [f"{ONE}&dn=<b>A</b>"]),
    "words behind the hash": (f"{ONE} thanks!", [ONE]),
    "words behind a tracker": (f"{ONE}&tr={T} thanks!", [f"{ONE}&tr={T}"]),
    "full stop behind the hash": (f"{ONE}.", [ONE]),
    "glued": (f"{FULL}{TWO}", [FULL, TWO]),
    "blank between": (f"{FULL} {TWO}", [FULL, TWO]),
    "names with blanks between": (f"{ONE}&dn=A B {TWO}&dn=C D", [f"{ONE}&dn=A B", f"{TWO}&dn=C D"]),
    "commas": (f"{FULL}, {TWO},{FULL}", [FULL, TWO, FULL]),
    "semicolons": (f"{FULL};{TWO}", [FULL, TWO]),
    "pipes": (f"{FULL} | {TWO}", [FULL, TWO]),
    "tab": (f"{FULL}\t{TWO}\tnope", [FULL, TWO]),
    "bullet": (f"- {ONE}&dn=A B", [f"{ONE}&dn=A B"]),
    "number": (f" 12. {ONE}&dn=A B", [f"{ONE}&dn=A B"]),
    "line break of HTML": (f"{FULL}<br/>", [FULL]),
    "end of an element": (f"{ONE}&dn=A B</p></div>", [f"{ONE}&dn=A B"]),
    "sentence": (f"Look at {ONE}, and at {TWO}.", [ONE, TWO]),
    "sentence goes on": (f"Get {FULL} while it is hot & fresh=1!", [FULL]),
    "sentence with blanks in the link": (
        f"Get {ONE}&dn=A B C&tr={T} now",
        [f"{ONE}&dn=A B C&tr={T}"],
    ),
    "another address behind": (
        f"Get {FULL} or https://x.example/?a=1&tr=2&dn=3",
        [FULL],
    ),
    "question": (f"Have you got {FULL}?", [FULL]),
    "in brackets": (f"(see {ONE}&dn=A_(2020))", [f"{ONE}&dn=A_(2020)"]),
    "bracket of its own": (
        f"It is good ({ONE}&dn=A_(2020)&tr={T}).",
        [f"{ONE}&dn=A_(2020)&tr={T}"],
    ),
    "Markdown": (f"[a (b)]({ONE}&dn=A (2020)&tr={T}) is", [f"{ONE}&dn=A (2020)&tr={T}"]),
    "Markdown with a title": (f'[a]({FULL} "the title")', [FULL]),
    "bold": (f"Get **{FULL}**", [FULL]),
    "code": (f"Run `{FULL}` twice", [FULL]),
    "angles": (f"Get <{ONE}&dn=A B> now", [f"{ONE}&dn=A B"]),
    "double quotes": (f'Get "{ONE}&dn=A B" now', [f"{ONE}&dn=A B"]),
    "single quotes": (f"Get '{ONE}&dn=Tom's A' now", [f"{ONE}&dn=Tom's A"]),
    "plural in quotes": (f"Get '{ONE}&dn=Girls' A&tr={T}' now", [f"{ONE}&dn=Girls' A&tr={T}"]),
    "quotes in quotes": (
        f'Get "{ONE}&dn=The "Best" of&tr={T}".',
        [f'{ONE}&dn=The "Best" of&tr={T}'],
    ),
    "quotes of HTML": (f'<a href="{FULL}"class="x&tr=">', [FULL]),
    "curly quotes": (f"Get \u201c{ONE}&dn=A B\u201d now", [f"{ONE}&dn=A B"]),
    "no counterpart": (f'Get "{FULL} now', [FULL]),
    "HTML": (f'<a class="x" href="{FULL}">{ONE}</a> <a href="/?a=1&tr=2">', [FULL, ONE]),
    "HTML in single quotes": (f"<a href='{FULL}'>x</a><a href='/?a=1&tr=2'>", [FULL]),
    "HTML without quotes": (f"<a href={FULL} class=x>y</a>", [FULL]),
    "escaped HTML": (f"&lt;a href=&quot;{FULL}&quot;&gt;x", [FULL]),
    "element": (f"<link>{ONE}&dn=A B</link>", [f"{ONE}&dn=A B"]),
    "CDATA": (f"<link><![CDATA[{ONE}&dn=A [x]]]></link>", [f"{ONE}&dn=A [x]"]),
    "rest of CDATA": (f"{ONE}&dn=A B]]>", [f"{ONE}&dn=A B"]),
    "BBCode": (f"[url]{ONE}&dn=A B[/url]", [f"{ONE}&dn=A B"]),
    "BBCode with a caption": (f"[url={ONE}&dn=[A] B]here[/url]", [f"{ONE}&dn=[A] B"]),
    "list of Python": (f"['{FULL}', \"{TWO}&dn=Tom's\"]", [FULL, f"{TWO}&dn=Tom's"]),
    "list of JSON": (f'{{"magnets":["{FULL}","{TWO}"],"a":1}}', [FULL, TWO]),
    "text in JSON": (f'{{"text":"Get {FULL}","next":"x&tr=1"}}', [FULL]),
    "lines in JSON": (f'{{"text":"Get {FULL}\\n{TWO}&dn=A"}}', [FULL, f"{TWO}&dn=A"]),
    "JSON in JSON": (f'{{"a":"{{\\"b\\":\\"{FULL}\\"}}"}}', [FULL]),
    "list without quotes": (f"[{FULL}, {TWO}]", [FULL, TWO]),
    "field": (f"magnet: {FULL}", [FULL]),
    "capitals": (f"see MAGNET:?{ONE[8:]} now", [f"MAGNET:?{ONE[8:]}"]),
    "encoded": ("get magnet%3A%3Fxt%3Durn now", ["magnet%3A%3Fxt%3Durn"]),
    "encoded within a link": (f"{ONE}&xs=magnet%3A%3Fxt%3D1", [f"{ONE}&xs=magnet%3A%3Fxt%3D1"]),
    "glued to an address": (f"https://x.example/?{FULL}", [FULL]),
    "none": ("I like magnet: it is great", []),
}


@pytest.mark.parametrize(("line", "links"), LINES.values(), ids=LINES)
def test_links_of_a_line(line: str, links: list[str]) -> None:
    assert links_of_line(line) == links


def test_text_lines() -> None:
    given = f"Today:\n\n{FULL}\r\nmagnet:?dn=bad\n  {TWO}&dn=A B\nthat is all"
    intake = take_in(given)
    assert [one.name for one in intake.magnets] == ["A B", "A B"]
    assert list(intake.places.values()) == [0, 2]
    assert [one.index for one in intake.invalid] == [1]


WEB = "https://x.example/a.torrent"
WEB_LINKS: dict[str, tuple[str | list[object], list[tuple[int, str]]]] = {
    "item": ([ONE, WEB], [(1, WEB)]),
    "item with blanks and words": ([f" {WEB} is it"], [(0, WEB)]),
    "item in a sentence": ([f"Get {WEB}."], [(0, WEB)]),
    "item that holds a magnet": ([f"https://x.example/{ONE}"], [(0, f"https://x.example/{ONE}")]),
    "line": (f"{ONE}\n- <{WEB}>\n", [(1, WEB)]),
    "words beside a magnet": (f"{ONE}\nsee {WEB}", []),
    "words alone": (f"see {WEB}, or\nso.", [(0, WEB)]),
    "line in brackets": ("so:\n(http://y.example/?a=1).", [(0, "http://y.example/?a=1")]),
    "no file": (
        "see http://y.example/?a=1&amp;b=2, or http://z.example!",
        [
            (0, "http://y.example/?a=1&b=2"),
            (1, "http://z.example"),
        ],
    ),
    "page": (
        f'<p><a href="{WEB}?k=1">x</a><img src="http://y.example/z.png"></p>',
        [(0, f"{WEB}?k=1")],
    ),
    "page without a file": ('<p><img src="http://y.example/z.png"></p>', []),
    "JSON": (
        '{"link": "https:\\/\\/y.example\\/a?b=1\\u0026c=2"}',
        [(0, "https://y.example/a?b=1&c=2")],
    ),
    "twice": ([WEB, WEB], [(0, WEB)]),
    "other kind": (["ftp://x.example/a.torrent", "file:///a.torrent"], []),
}


@pytest.mark.parametrize(("given", "found"), WEB_LINKS.values(), ids=WEB_LINKS)
def test_web_links(given: str | list[object], found: list[tuple[int, str]]) -> None:
    assert [(one.index, one.url) for one in take_in(given).web_links] == found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("buy\tmilk\n", "buy milk"),
        (
            "magnet:?xt=urn:btih:12&dn=A b&tr=http://t/SECRET",
            "magnet:?xt=urn:btih:12&dn=A b&\u2026",
        ),
        ("magnet:?dn=http%3A%2F%2FSECRET", "magnet:?\u2026"),
        ("magnet:?xt=http://t/SECRET", "magnet:?\u2026"),
        ("magnet%3A%3Fxt%3D1%26tr%3DSECRET", "magnet:?\u2026"),
        ("magnet:xt=1&tr=SECRET", "magnet:\u2026"),
        ("agnet:?xt=urn:btih:1&tr=SECRET", "agnet:\u2026"),
        ("tracker.example/SECRET/announce", "\u2026"),
        ("Hi SECRET@x", "Hi \u2026"),
        ("ftp://u:SECRET@h/x", "ftp:\u2026"),
        ("http://u:SECRET@h/a?SECRET#SECRET", "http://h/a"),
        ("http://u:SE?CRET@h/", "http://\u2026"),
        ("https://h/dl/SECRET12345678901234/x.torrent;SECRET", "https://h/dl/\u2026/x.torrent"),
        ("x" * 100, "x" * 79 + "\u2026"),
        ("x" * 10_000, "\u2026"),
    ],
)
def test_excerpt(text: str, shown: str) -> None:
    assert excerpt(text) == shown
    assert len(shown) <= 80

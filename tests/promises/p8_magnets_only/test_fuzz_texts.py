"""Texts as they really come, made from known links: each arrives whole, and nothing else does."""

from collections.abc import Callable
from html import escape
import json
from urllib.parse import quote, unquote, unquote_plus

from hypothesis import given, strategies as st

from custom_components.qbittorrent_resilient.core.intake import take_in
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from tests.support.made_up import FUZZ

type Known = tuple[str, str, tuple[str, ...]]
"""What a link says: its hash, its name and its trackers."""
type Made = tuple[str, Known]

TRACKERS = [
    "udp://tracker.example:6969/announce",
    "http://t.example/0123456789abcdef/announce",
    "https://t.example:443/announce?key=a%26b",
    "wss://t.example",
    "http://[2001:db8::1]:80/a.php",
]
WORDS = [
    "Some",
    "Thing",
    "2024",
    "1080p",
    "Tom's",
    "[x264]",
    "(1999)",
    "e\u0301t\u00e9",
    "\u65e5\u672c",
    "\U0001f600",
    "\u05d0\u05d1",
]
RAW_WORDS = [*WORDS, "Girls'", '"Best"', "{a}", "-", "50%25", "A,B", "a;b", "<3", "=1", "R", "&"]
PROSE = [
    "Look at this:",
    "I like magnet: links, and tr= too.",
    'Tom & Jerry\'s "film" (2024) <3',
    "see (below) [1]",
    "https and http are no links",
    "100% & more; a=1, b=2",
    "\u05e9\u05dc\u05d5\u05dd \U0001f600",
    "{'a': 1}",
    "urn:btih: is what it begins with",
]


def known(magnet: Magnet) -> Known:
    """Return what a magnet says to a server."""
    parameters = [part.partition("=") for part in magnet.link[len("magnet:?") :].split("&")]
    trackers = tuple(unquote(value) for key, _, value in parameters if key == "tr")
    names = [unquote_plus(value) for key, _, value in parameters if key == "dn"]
    assert names == ([magnet.name] if magnet.name else [])
    return magnet.info_hash, magnet.name or "", trackers


@st.composite
def clean_links(draw: st.DrawFn) -> Made:
    """Return a link as a program writes it: percent-encoded throughout."""
    info_hash = draw(st.binary(min_size=20, max_size=20).filter(any)).hex()
    name = " ".join(draw(st.lists(st.sampled_from(RAW_WORDS), max_size=5)))
    trackers = draw(st.lists(st.sampled_from(TRACKERS), max_size=3))
    plus = draw(st.booleans())
    parts = [f"xt=urn:btih:{draw(st.sampled_from([info_hash, info_hash.upper()]))}"]
    if name:
        encoded = quote(name, safe="")
        parts.append(f"dn={encoded.replace('%20', '+') if plus else encoded}")
    parts += [f"tr={quote(one, safe=draw(st.sampled_from(['', ':/'])))}" for one in trackers]
    return "magnet:?" + "&".join(parts), (info_hash, name, tuple(trackers))


@st.composite
def raw_links(draw: st.DrawFn) -> Made:
    """Return a link with a name as a person types it, before the trackers or without any."""
    info_hash = draw(st.binary(min_size=20, max_size=20).filter(any)).hex()
    words = st.lists(st.sampled_from(RAW_WORDS), min_size=1, max_size=5)
    name = " ".join(draw(words.filter(lambda some: some[-1] != "&")))  # which would be none
    trackers = draw(st.lists(st.sampled_from(TRACKERS), max_size=3))
    encoded = "".join(f"&tr={quote(one, safe=':/')}" for one in trackers)
    said = name.replace("%25", "%")
    return f"magnet:?xt=urn:btih:{info_hash}&dn={name}{encoded}", (info_hash, said, tuple(trackers))


def spelled(links: st.SearchStrategy[Made]) -> st.SearchStrategy[Made]:
    """Return links in one of the spellings that the world has for them."""
    spellings: list[Callable[[str], str]] = [
        str,
        lambda link: link.replace("&", "&amp;"),
        lambda link: link.replace("&", "&#38;"),
        lambda link: link.replace("&", "&#x26;"),
        lambda link: link.replace("&", "&amp;amp;"),
        lambda link: link.replace("&", "\\u0026").replace("/", "\\/"),
        lambda link: link.replace("magnet:?", "MAGNET:?"),
        lambda link: link.replace("magnet:?", "magnet://?"),
        lambda link: link.replace("magnet:?", "magnet:///?"),
        lambda link: quote(link, safe=""),
        lambda link: quote(quote(link, safe=""), safe=""),
    ]
    return st.tuples(links, st.sampled_from(spellings)).map(
        lambda drawn: (drawn[1](drawn[0][0]), drawn[0][1])
    )


IN_PROSE: dict[str, Callable[[str], str]] = {
    "colon": lambda link: f"Look at this: {link}",
    "goes on": lambda link: f"Get {link} while it is hot, & more",
    "full stop": lambda link: f"It is {link}.",
    "comma": lambda link: f"It is {link}, they say; see https://x.example/?a=1&tr=2 too",
    "brackets": lambda link: f"It (see {link}) is good",
    "angles": lambda link: f"It <{link}> is good",
    "quotes": lambda link: f'It is "{link}", or is it?',
    "curly quotes": lambda link: f"It is \u201c{link}\u201d!",
    "code": lambda link: f"Use `{link}` please",
    "Markdown": lambda link: f"Get [it (now)]({link}), **now**",
    "BBCode": lambda link: f"Get [b][url={link}]it[/url][/b]",
    "caption": lambda link: f'<p>Get <a class="a" href="{escape(link)}" id="b">it</a> &amp; go</p>',
    "escaped": lambda link: escape(f'<a href="{escape(link)}">it</a>'),
    "element": lambda link: f"<item><link>{escape(link)}</link><guid>x</guid></item>",
    "CDATA": lambda link: f"<description><![CDATA[ {link} ]]></description>",
    "JSON": lambda link: json.dumps({"a": 1, "text": f"Get {link}", "b": "x&tr=y"}),
    "Python": lambda link: f"{{'text': 'Get {link}', 'b': 'x'}}",
}
"""Ways in which a link that is encoded throughout stands among words; apostrophes are quoted."""


def arrived(given: str | list[object]) -> list[Known]:
    """Return what arrives, after a look that nothing is told to be wrong."""
    intake = take_in(given)
    assert not intake.invalid
    assert not intake.web_links
    return [known(magnet) for magnet in intake.magnets]


def distinct(made: list[Made]) -> list[Made]:
    """Return the links that name different torrents."""
    return list({told[0]: (text, told) for text, told in reversed(made)}.values())[::-1]


@given(made=st.lists(spelled(clean_links()) | raw_links(), max_size=6).map(distinct))
@FUZZ
def test_items_of_a_list(made: list[Made]) -> None:
    """With what a template leaves beside them."""
    given: list[object] = []
    for text, _ in made:
        given += [None, text, "", " "]
    assert arrived(given) == [told for _, told in made]


@given(
    made=st.lists(spelled(clean_links()) | raw_links(), min_size=1, max_size=5).map(distinct),
    prose=st.lists(st.sampled_from(PROSE), max_size=5),
    end=st.sampled_from(["\n", "\r\n", "\n\n", "\r"]),
    indent=st.sampled_from(["", "  ", "\t", "- ", "> ", "* ", "\ufeff"]),
    data=st.data(),
)
@FUZZ
def test_lines_of_a_text(
    made: list[Made], prose: list[str], end: str, indent: str, data: st.DataObject
) -> None:
    """In any order with lines of words."""
    lines = data.draw(
        st.permutations(
            [*((indent + text, told) for text, told in made), *((line, None) for line in prose)]
        )
    )
    expected = [told for _, told in lines if told]
    assert arrived(end.join(text for text, _ in lines)) == expected


@given(made=clean_links(), way=st.sampled_from(sorted(IN_PROSE)), more=clean_links())
@FUZZ
def test_link_in_a_sentence(made: Made, way: str, more: Made) -> None:
    """It ends where the sentence goes on; another one in the next line is no part of it."""
    for known_links in distinct([made]), distinct([made, more]):
        text = "\n".join(IN_PROSE[way](link) for link, _ in known_links)
        assert arrived(text) == [told for _, told in known_links]


@given(
    made=st.lists(clean_links(), min_size=1, max_size=6).map(distinct),
    joint=st.sampled_from([" ", ", ", ",", ";", " | ", "\t", "", "  "]),
)
@FUZZ
def test_links_of_one_line(made: list[Made], joint: str) -> None:
    assert arrived(joint.join(text for text, _ in made)) == [told for _, told in made]


@given(made=st.lists(clean_links() | raw_links(), min_size=1, max_size=6).map(distinct))
@FUZZ
def test_printed_lists(made: list[Made]) -> None:
    """As a template or a program prints them, in one line or in many."""
    links, told = [text for text, _ in made], [one for _, one in made]
    assert arrived(json.dumps(links)) == told
    assert arrived(json.dumps(links, indent=1, ensure_ascii=False)) == told
    assert arrived(json.dumps({"magnets": [{"link": link} for link in links]})) == told
    assert arrived(",\n".join(links)) == told

"""Names as they are shown: plain text on one line, and short, whatever a link says."""

import json
import time
import unicodedata

import pytest

from custom_components.qbittorrent_resilient.core import names
from custom_components.qbittorrent_resilient.core.magnet import MAX_MAGNET_BYTES, Magnet
from tests.support.common import info_hash, link

HASH = info_hash(1)


def _named(text: str) -> str:
    """Name a test by the beginning of a text."""
    return ascii(text[:60])


@pytest.mark.parametrize(
    "text",
    [
        "Debian 13.1.0 amd64 [netinst] (2025) - A&B, 100 % + more!",
        "Dvořák – Größe",
        "Ελληνικά, русский, עברית, العربية",
        "東京 한국어 ไทย",
        unicodedata.normalize("NFD", "Tiếng Việt ấ"),
        "👍🏽 🎬",
        "{{ 1 + 1 }} <b>bold</b> ![x](http://x.example/a.png)",
        "x" * names.MOST_CHARACTERS,
    ],
    ids=_named,
)
def test_honest_names_and_markup_stay_as_they_are(text: str) -> None:
    assert names.shown(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        (" \t\u00a0\u3000 ", ""),
        (
            "one\ntwo\r\nthree\u2028four\u2029five\x85six\x00seven",
            "one two three four five six seven",
        ),
        ("a\u202egnp.exe\u202c", "agnp.exe"),
        ("\u2066a\u2069 \u200fb\u200e \u061cc", "a b c"),
        ("in\u200bvi\u200csi\u200dble\u2060\ufeff\u00ad", "invisible"),
        ("tag\U000e0061\U000e0062\U000e007f", "tag"),
        ("\ufe0fsel\U000e0100ec\u180btor\u034f", "selector"),
        ("\u3164\u115f\u1160\uffa0\u2800 ", ""),
        ("\ud83d lone \udc00", "\ufffd lone \ufffd"),
        (
            "Z" + "\u0301\u0302\u0303\u0304\u0305\u0306" * 99 + "algo",
            "Z\u0301\u0302\u0303\u0304algo",
        ),
        ("\u0338\u20dd crossed out", "crossed out"),
        ("x" * 201, "x" * 199 + "…"),
        ("word " * 100, ("word " * 40)[:199].strip() + "…"),
        ("\u200b" * 60_000 + "hidden", ""),
    ],
    ids=_named,
)
def test_what_is_no_text_is_taken_out(text: str, expected: str) -> None:
    assert names.shown(text) == expected
    assert names.shown(expected) == expected


def test_a_name_of_any_length_takes_no_time() -> None:
    hostile = [char * MAX_MAGNET_BYTES for char in ("x", "\u200b", "\u0301", " ", "\udfff", "a ")]
    began = time.perf_counter()
    for text in hostile * 100:
        assert len(names.shown(text)) <= names.MOST_CHARACTERS
    assert time.perf_counter() - began < 5  # 600 of them; it is about 0.1 s


def test_of_a_magnet() -> None:
    def named(name: str) -> str:
        return names.of_magnet(Magnet.parse(link(1, name=name)))

    assert names.of_magnet(Magnet.parse(f"magnet:?xt=urn:btih:{HASH}")) == HASH
    assert named("A+b") == "A b"
    assert named("%E2%80%AEcod.exe") == "cod.exe"
    assert named("%E2%80%8B%E2%80%8B") == HASH  # nothing that could be seen
    assert named("%253Cimg%253E%2526amp%253B") == "%3Cimg%3E%26amp%3B"  # decoded once
    assert len(named("x" * 60_000)) == names.MOST_CHARACTERS


def test_all_that_is_shown_can_be_encoded() -> None:
    every = "".join(map(chr, range(0x3000))) + "".join(map(chr, range(0xD800, 0x10000)))
    for start in range(0, len(every), 50):
        text = names.shown("x" + every[start : start + 50])
        assert json.loads(json.dumps(text).encode()) == text
        assert text.encode().decode() == text
        assert text == " ".join(text.split())


def test_escaped_for_markdown() -> None:
    assert names.markdown("") == ""
    assert names.markdown("Plain words 1 äöü 東京") == "Plain words 1 äöü 東京"
    assert names.markdown("![x](http://y.z)") == r"\!\[x\]\(http\:\/\/y\.z\)"
    assert names.markdown("<ha-alert> & `a` | \\ #_*~@") == (
        r"\<ha\-alert\> \& \`a\` \| \\ \#\_\*\~\@"
    )


@pytest.mark.parametrize("name", ["Seedbox", "NAS 2 (old), Tom's", "東京-1", "Büro #1 + 2", ""])
def test_harmless_names_are_not_escaped(name: str) -> None:
    assert names.light_markdown(name) == name


@pytest.mark.parametrize(
    "name",
    ["*a*", "_a_", "a_b", "www.a.b", "a@b.c", "- a", "# a", "+ a", "1. a", "a<b>", "`a`", "a|b"],
)
def test_other_names_are_escaped(name: str) -> None:
    assert names.light_markdown(name) == names.markdown(name) != name


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Seedbox", "SEEDBOX"),
        ("Straße", "STRASSE"),
        ("My  box", " my\u00a0box "),
        ("Se\u200bed\ufeffbox", "seedbox"),
        ("Ｓｅｅｄ", "seed"),
        ("Caf\u00e9", "CAFE\u0301"),
        ("\ufb01le", "FILE"),
    ],
    ids=_named,
)
def test_names_that_look_alike_share_a_key(first: str, second: str) -> None:
    assert names.key(first) == names.key(second) == names.key(names.key(first))


@pytest.mark.parametrize("other", ["Seedbox 2", "See", "S\u0435edbox", "", "Séedbox"], ids=_named)
def test_names_that_do_not_share_none(other: str) -> None:
    assert names.key("Seedbox") != names.key(other)

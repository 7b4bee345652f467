"""Magnet links: what is taken, how it is normalised, and that it never shows what it holds."""

import base64
import re
from urllib.parse import quote

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.qbittorrent_resilient.core.errors import InvalidMagnetError
from custom_components.qbittorrent_resilient.core.magnet import MAX_MAGNET_BYTES, Magnet

A = "0123456789abcdef0123456789abcdef01234567"
B = "f" * 40
V2 = "89abcdef" * 8
BASE32 = base64.b32encode(bytes.fromhex(A)).decode()
PLAIN = f"magnet:?xt=urn:btih:{A}"
ENCODED = quote(f"{PLAIN}&dn=a%20b&tr=http%3A%2F%2Ft%2F%3Fa%26b", safe="")
CANARY = "http://canary.example/secret-passkey/announce"


@pytest.mark.parametrize(
    ("text", "v1", "v2", "name", "rest"),
    [
        pytest.param(PLAIN, A, None, None, "", id="v1"),
        pytest.param(f"magnet:?xt=urn:btih:{A.upper()}", A, None, None, "", id="v1-capitals"),
        pytest.param(f"magnet:?xt=urn:btih:{BASE32}", A, None, None, "", id="base32"),
        pytest.param(f"magnet:?xt=urn:btih:{BASE32.lower()}", A, None, None, "", id="base32-lower"),
        pytest.param(f"MAGNET:?XT=URN:BTIH:{A}", A, None, None, "", id="capitals"),
        pytest.param(f"magnet:?xt=urn%3Abtih%3A{A}", A, None, None, "", id="encoded-topic"),
        pytest.param(f"magnet:?xt=%20urn:btih:{A}%0A", A, None, None, "", id="blanks-in-topic"),
        pytest.param(f"magnet:?xt.1=urn:btih:{A}", A, None, None, "", id="numbered"),
        pytest.param(f"magnet:?xt.=urn:btih:{A}", A, None, None, "", id="number-missing"),
        pytest.param(f"magnet:?xt=urn:btmh:1220{V2}", None, V2, None, "", id="v2"),
        pytest.param(f"magnet:?xt=urn:btmh:1220{V2.upper()}", None, V2, None, "", id="v2-capitals"),
        pytest.param(f"{PLAIN}&xt=urn:btmh:1220{V2}", A, V2, None, "", id="hybrid"),
        pytest.param(
            f"magnet:?xt.1=urn:btmh:1220{V2}&xt.2=urn:btih:{BASE32}", A, V2, None, "", id="hybrid2"
        ),
        pytest.param(f"{PLAIN}&xt=urn:btih:{BASE32}", A, None, None, "", id="same-twice"),
        pytest.param(
            f"magnet:?xt=urn:ed2k:{'0' * 32}&xt=urn:btih:{A}", A, None, None, "", id="ed2k"
        ),
        pytest.param(f"{PLAIN}&dn=a+b%20c", A, None, "a b c", "&dn=a+b%20c", id="name"),
        pytest.param(f"{PLAIN}&dn=a b", A, None, "a b", "&dn=a%20b", id="blank-in-name"),
        pytest.param(f"{PLAIN}&dn=ä", A, None, "ä", "&dn=%C3%A4", id="name-not-ascii"),
        pytest.param(f"{PLAIN}&dn=a%0D%0Ab%E2%80%A8c", A, None, "a b c", "&dn=a%0D%0Ab%E2%80%A8c"),
        pytest.param(f"{PLAIN}&dn=%20", A, None, None, "&dn=%20", id="blank-name"),
        pytest.param(f"{PLAIN}&dn=one&dn=two", A, None, "one", "&dn=one&dn=two", id="two-names"),
        pytest.param(f"{PLAIN}&amp;dn=n&amp;tr=t", A, None, "n", "&dn=n&tr=t", id="html"),
        pytest.param(f"{PLAIN}&amp;amp;dn=n", A, None, "n", "&dn=n", id="html-twice"),
        pytest.param(f"magnet:?&xt=urn:btih:{A}&&", A, None, None, "", id="empty-parts"),
        pytest.param(f"{PLAIN}&ä=1&=2&x", A, None, None, "&x=", id="unreadable-keys"),
        pytest.param(f"{PLAIN}&tr=%zz", A, None, None, "&tr=%zz", id="bad-escape"),
        pytest.param(f" \t{PLAIN} ", A, None, None, "", id="blanks-around"),
        pytest.param(f"\ufeff\u200b{PLAIN}\u200b\xa0", A, None, None, "", id="marks-around"),
        *(
            pytest.param(
                PLAIN.replace("magnet:?", scheme), A, None, None, "", id=f"scheme-{number}"
            )
            for number, scheme in enumerate(
                ["MAGNET:?", "magnet:/?", "magnet://?", "magnet:///?", "magnet%3A?", "Magnet:%3f"]
            )
        ),
        *(
            pytest.param(f"{PLAIN}{amp}dn=n{amp}tr=t", A, None, "n", "&dn=n&tr=t", id=amp)
            for amp in [
                *(
                    "&amp;",
                    "&AMP;",
                    "&#38;",
                    "&#038;",
                    "&#x26;",
                    "&#X26;",
                    "&amp;amp;",
                    "&amp;#38;",
                ),
                *("\\u0026", "\\\\u0026"),
            ]
        ),
        *(
            pytest.param(
                encoded, A, None, "a b", "&dn=a%20b&tr=http%3A%2F%2Ft%2F%3Fa%26b", id=f"encoded-{n}"
            )
            for n, encoded in enumerate(
                [
                    ENCODED,
                    quote(ENCODED),
                    quote(quote(ENCODED)),
                    f"{ENCODED}&category=x",
                ]
            )
        ),
        *(
            pytest.param(f"{PLAIN}&dn={given}&tr=t", A, None, shown, f"&dn={sent}&tr=t", id=given)
            for given, shown, sent in [
                ("Tom &amp; Jerry", "Tom & Jerry", "Tom%20%26%20Jerry"),
                ("Tom&amp;Jerry", "Tom&Jerry", "Tom%26Jerry"),
                ("Tom & Jerry", "Tom & Jerry", "Tom%20%26%20Jerry"),
                ("Tom%26Jerry", "Tom&Jerry", "Tom%26Jerry"),
                ("Tom%26amp%3BJerry", "Tom&Jerry", "Tom%26Jerry"),
                ("Tom%26amp%3Bamp%3BJerry", "Tom&Jerry", "Tom%26Jerry"),
                ("Tom&#39;s", "Tom's", "Tom's"),
                ("Tom&amp;#39;s", "Tom's", "Tom's"),
                ("Tom%26%2339%3Bs", "Tom's", "Tom%27s"),
                ("a&quot;b&quot;", 'a"b"', 'a"b"'),
                ("a&nbsp;b&#10;c&#x9f;d", "a b c\u0178d", "a%20b%20c%C5%B8d"),
                ("R&notb", "R&notb", "R%26notb"),
                ("a%26%26lt%3Bmp%3B", "a&<mp;", "a%26%3Cmp%3B"),
                ("&", None, ""),
                ("\\u00e9\\ud83d\\ude00\\/", "é\U0001f600/", "%C3%A9%F0%9F%98%80/"),
                ("C:\\x", "C:\\x", "C:%5Cx"),
            ]
        ),
        pytest.param(
            f"{PLAIN}&tr=http:\\/\\/t\\/a", A, None, None, "&tr=http://t/a", id="slashes-of-json"
        ),
        pytest.param(f"{PLAIN} &tr= t &x", A, None, None, "&tr=t&x=", id="blanks-around-values"),
        pytest.param(
            f"{PLAIN}&tr&#x3D;http:&#x2F;&#x2F;t", A, None, None, "&tr=http://t", id="handlebars"
        ),
        pytest.param(f"{PLAIN}&tr=u&x.pe=h:1", A, None, None, "&tr=u&x.pe=h:1", id="others"),
    ],
)
def test_taken(text: str, v1: str | None, v2: str | None, name: str | None, rest: str) -> None:
    magnet = Magnet.parse(text)
    assert (magnet.v1, magnet.v2, magnet.name) == (v1, v2, name)
    topics = [f"xt=urn:btih:{v1}"] * bool(v1) + [f"xt=urn:btmh:1220{v2}"] * bool(v2)
    assert magnet.link == "magnet:?" + "&".join(topics) + rest


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "does not start"),
        (A, "does not start"),
        (BASE32, "does not start"),
        (V2, "does not start"),
        (f"http://host/{A}", "does not start"),
        (f"https://host/?magnet:?xt=urn:btih:{A}", "does not start"),
        ("/etc/passwd", "does not start"),
        ("file:///etc/passwd", "does not start"),
        ("magnet:", "does not start"),
        (f"magnet:////?xt=urn:btih:{A}", "does not start"),
        (f"x{PLAIN}", "does not start"),
        ("magnet%3A%3Fdn%3Dname", "names no"),
        (f"magnet%3A%3Fxt%3Durn%3Abtih%3A{A}%0Amagnet%3A", "line end"),
        (f"{PLAIN}&dn=\\u000a", "line end"),
        (f"{PLAIN}&dn=&#109;agnet:?xt", "second magnet"),
        ("magnet:?", "names no"),
        ("magnet:?dn=name", "names no"),
        ("magnet:?xt", "names no"),
        (f"magnet:?xt=urn:ed2k:{'0' * 32}", "names no"),
        (f"magnet:?xt.a=urn:btih:{A}", "names no"),
        ("magnet:?xt=urn:btih:", "btih"),
        (f"magnet:?xt=urn:btih:{A[1:]}", "btih"),
        (f"magnet:?xt=urn:btih:{A}0", "btih"),
        (f"magnet:?xt=urn:btih:{'g' * 40}", "btih"),
        (f"magnet:?xt=urn:btih:{BASE32[1:]}", "btih"),
        (f"magnet:?xt=urn:btih:{BASE32[1:]}1", "btih"),
        (f"magnet:?xt=urn:btmh:{V2}", "btmh"),
        (f"magnet:?xt=urn:btmh:1220{V2[1:]}", "btmh"),
        (f"magnet:?xt=urn:btmh:1120{V2}", "btmh"),
        (f"magnet:?xt=urn:btih:{'0' * 40}", "zeros"),
        (f"magnet:?xt=urn:btih:{'A' * 32}", "zeros"),
        (f"magnet:?xt=urn:btmh:1220{'0' * 64}", "zeros"),
        (f"{PLAIN}&xt=urn:btih:{B}", "two different"),
        (f"{PLAIN}&xt.=urn:btih:{B}", "two different"),
        (f"{PLAIN}&amp;amp;xt=urn:btih:{B}", "two different"),
        (f"magnet:?amp;xt=urn:btih:{B}&xt=urn:btih:{A}", "two different"),
        (f"magnet:?xt=urn:btmh:1220{V2}&xt=urn:btmh:1220{'e' * 64}", "two different"),
        (f"{PLAIN}{PLAIN}", "second magnet"),
        (f"{PLAIN} {PLAIN}", "second magnet"),
        (f"{PLAIN}&dn=x&amp;MAGNET:?xt=urn:btih:{B}", "second magnet"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidMagnetError, match=reason) as caught:
        Magnet.parse(text)
    assert not re.search(r"[0-9a-f]{20}|urn:btih:\w", str(caught.value)), "quotes the link"


@pytest.mark.parametrize(
    "char",
    [*map(chr, range(9)), *"\n\r\x0b\x0c\x1b\x7f\x85\u2028\u2029\ud800"],
    ids=repr,
)
@pytest.mark.parametrize("where", [0, 30, len(PLAIN), len(PLAIN) + 5])
def test_control_character(char: str, where: int) -> None:
    text = f"{PLAIN}&dn=name"
    with pytest.raises(InvalidMagnetError, match="line end or control"):
        Magnet.parse(text[:where] + char + text[where:])


@pytest.mark.parametrize("fill", ["x", "ä", "\N{GRINNING FACE}"])
def test_longest(fill: str) -> None:
    start = f"{PLAIN}&dn="
    number, odd = divmod(MAX_MAGNET_BYTES - len(start), len(fill.encode()))
    text = start + "x" * odd + fill * number
    assert Magnet.parse(text).v1 == A
    with pytest.raises(InvalidMagnetError, match="64 KiB"):
        Magnet.parse(text + "x")


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        (PLAIN, {A}),
        (f"magnet:?xt=urn:btmh:1220{V2}", {V2[:40]}),
        (f"{PLAIN}&xt=urn:btmh:1220{V2}", {A, V2[:40]}),
    ],
)
def test_listed_under(text: str, ids: set[str]) -> None:
    magnet = Magnet.parse(text)
    assert magnet.ids == ids
    assert magnet.info_hash == (magnet.v1 or V2)


def test_printed_form_is_the_hash() -> None:
    magnet = Magnet.parse(f"{PLAIN}&dn=canary&tr={quote(CANARY)}")
    assert "canary" in magnet.link
    assert str(magnet) == f"{magnet}" == A
    for shown in (str(magnet), repr(magnet), repr([magnet]), f"{magnet!r}"):
        assert "canary" not in shown
        assert A in shown


_PIECES = st.one_of(
    st.sampled_from(
        [
            "magnet:?",
            "xt=",
            "xt.=",
            "xt.1=",
            "&",
            "&amp;",
            "amp;",
            "=",
            "%",
            "%0A",
            "urn:btih:",
            A,
            BASE32,
            B,
            f"urn:btmh:1220{V2}",
            "dn=",
            "tr=",
            " ",
            "\n",
            "\u2028",
            "ſ",
            "K",
            "İ",
        ]
    ),
    st.text(max_size=6),
)


@given(
    tail=st.lists(_PIECES, max_size=12).map("".join), start=st.sampled_from(["", PLAIN, "magnet:?"])
)
@settings(max_examples=400, deadline=None, database=None)
def test_any_text(start: str, tail: str) -> None:
    """What gets through is one line, plain, and means the same when it is read again."""
    try:
        magnet = Magnet.parse(start + tail)
    except InvalidMagnetError:
        return
    assert re.fullmatch(r"magnet:\?[!-~]+", magnet.link)
    assert magnet.link.lower().count("magnet:?") == 1
    assert Magnet.parse(magnet.link) == magnet
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", magnet.name or "")

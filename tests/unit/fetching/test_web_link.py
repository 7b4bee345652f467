"""What is a web link, what of it is shown, and that it is the same after it was kept."""

from hypothesis import example, given, strategies as st
import pytest

from custom_components.qbittorrent_resilient.core.errors import InvalidLinkError
from custom_components.qbittorrent_resilient.core.fetching.web_link import WebLink
from custom_components.qbittorrent_resilient.core.magnet import Magnet

_PIECES = st.one_of(
    st.sampled_from(
        [
            *("http://", "https://", "HTTP://", "http:", "ftp://", "file://", "//", "/", "\\", ":"),
            *("@", "?", "#", "%", "%00", "%0d%0a", "%2F", "+", "&", "=", "..", "[", "]", "[::1]"),
            *("127.0.0.1", "host", "HOST.example", "xn--", "\u00df", "\uff0f", "\u3002", "\u200b"),
            *("\ud800", "\0", "\r\n", "\t", " ", "80", "0", "65536", "user:canary@", "&xs=", "xs="),
        ]
    ),
    st.text(max_size=4),
)


@pytest.mark.parametrize(
    ("text", "url", "name"),
    [
        ("http://t.example/a/b.torrent?key=1", "http://t.example/a/b.torrent?key=1", "b.torrent"),
        ("  HTTPS://T.example/x \t", "https://t.example/x", "x"),
        ("http://t.example", "http://t.example/", "t.example"),
        ("http://t.example:80/", "http://t.example/", "t.example"),
        ("http://u:p%40s@t.example/x/", "http://u:p%40s@t.example/x/", "x"),
        ("http://t.example/x?q=%2B+%20&u=%zz#part", "http://t.example/x?q=%2B+%20&u=%zz", "x"),
        ("http://t.example/a b/ü.torrent", "http://t.example/a%20b/%C3%BC.torrent", "ü.torrent"),
        ("http://bücher.example/x", "http://xn--bcher-kva.example/x", "x"),
        ("http://[::1]:9117/dl/a.torrent", "http://[::1]:9117/dl/a.torrent", "a.torrent"),
        ("http://t.example/a%2Fb%0A%E2%80%AE.torrent", None, "a/b .torrent"),
    ],
)
def test_links_and_their_names(text: str, url: str | None, name: str) -> None:
    link = WebLink.parse(text)
    assert str(link.url) == (url or text)
    assert link.name == str(link) == name


@pytest.mark.parametrize(
    "text",
    [
        *("", "t.example/x", "file:///etc/passwd", "ftp://t.example/x", "data:text/plain,x"),
        *("magnet:?xt=urn:btih:" + "1" * 40, "http://", "http:///x", "http:x", "http://:80/"),
        *("http://t.example:99999/", "http://[::1/", "http://t.example/a\nb", "http://t.example\0"),
        *("http://u:p@/", "javascript:alert(1)", "http://a\\b/", "http://t.example/" + "x" * 65536),
    ],
)
def test_no_links(text: str) -> None:
    with pytest.raises(InvalidLinkError) as caught:
        WebLink.parse(text)
    assert len(text) < 6 or text not in str(caught.value)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b?c=d", "http://t.example/b?c=d"),
        ("b", "http://t.example/a/b"),
        ("//o.example/b", "http://o.example/b"),
        ("https://o.example/b c", "https://o.example/b%20c"),
        ("", "http://t.example/a/x?k=1"),
    ],
)
def test_redirects(location: str, url: str) -> None:
    assert str(WebLink.parse("http://t.example/a/x?k=1").follow(location).url) == url


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://o.example/x", "data:,x"])
def test_redirects_to_no_web_link(location: str) -> None:
    with pytest.raises(InvalidLinkError):
        WebLink.parse("http://t.example/a/x").follow(location)


def test_link_that_is_too_long_once_it_is_encoded() -> None:
    """What is stored is, and has to be read back."""
    with pytest.raises(InvalidLinkError, match="64 KiB"):
        WebLink.parse("http://h.example/" + "\u00e9" * 25_000)
    assert WebLink.parse("http://h.example/" + "\u00e9" * 10_000)


def test_nothing_secret_is_printed() -> None:
    link = WebLink.parse("http://user:canary@t.example/canary/x.torrent?passkey=canary#canary")
    kept = link.as_magnet()
    assert "canary" not in f"{link} {link!r} {link.name} {link.key} {kept} {kept!r} {kept.name}"


@given(st.lists(_PIECES, max_size=8).map("".join))
@example("http://u:p%2540@h/%2e%2e/\u00fc?a=&xs=http://x/&xt=urn:btih:" + "1" * 40)
@example("http:// //")
@example("http://\u00bb127.0.0.1HOST.example")
def test_kept_links_come_back(text: str) -> None:
    """Any text is refused, or is the same link after it was stored as a magnet."""
    try:
        link = WebLink.parse(text)
    except InvalidLinkError:
        return
    assert WebLink.parse(str(link.url)) == link
    kept = Magnet.read_back(link.as_magnet().link)
    assert kept == link.as_magnet()
    assert (kept.info_hash, kept.name) == (link.key, link.name)
    assert WebLink.of_magnet(kept) == link

"""Any text as the address of a server: refused, or one that requests can be sent to."""

from urllib.parse import urlsplit

from hypothesis import example, given, strategies as st
from yarl import URL

from custom_components.qbittorrent_resilient.core.qbittorrent.errors import InvalidUrlError
from custom_components.qbittorrent_resilient.core.qbittorrent.pasted import read_pasted
from custom_components.qbittorrent_resilient.core.qbittorrent.url import (
    host_without_port,
    normalise_url,
    same_place,
)
from tests.support.made_up import FUZZ, attempt

_PIECES = st.one_of(
    st.sampled_from(
        [
            *("http://", "https://", "HTTP://", "http:", "ftp://", "file://", "//", "/", "\\", ":"),
            *("@", "?", "#", "%", "%00", "%0d%0a", "..", "[", "]", "[::1]", "[fe80::1%25eth0]"),
            *("127.0.0.1", "0x7f.1", "host", "HOST.example", "xn--", "\u00df", "\u212a", "\u0130"),
            *("\uff0f", "\uff20", "\u3002", "\u200b", "\u202e", "\ud800", "\0", "\r\n", "\t", " "),
            *("80", "8080", "0", "65535", "65536", "-1", "\u0661", "user:canary@"),
        ]
    ),
    st.text(max_size=4),
)
texts = st.lists(_PIECES, max_size=8).map("".join)


@given(texts | texts.map("http://".__add__) | texts.map("http://host".__add__))
@example("http://xn--")
@example("http://host\\@other/")
@example("http://host/a\\b")
@example("http://host:")
@example("http://\u212aelvin/")
@example("http://[::1]:8080/a//")
@FUZZ
def test_refused_or_usable(text: str) -> None:
    url = attempt(InvalidUrlError, lambda: normalise_url(text))
    if isinstance(url, InvalidUrlError):
        assert "canary" not in str(url)
        return
    assert normalise_url(url) == url
    assert same_place(url, url)
    assert not url.endswith("/")
    assert url.isprintable()
    assert not {" ", "\\"} & {*url}
    parts = urlsplit(url)
    assert parts.scheme in {"http", "https"}
    assert parts.hostname
    assert not any((parts.username, parts.password, parts.query, parts.fragment))
    assert host_without_port(url)
    requested = URL(f"{url}/api/v2/app/version")
    assert requested.host
    assert requested.path.endswith("/api/v2/app/version")
    assert not any((requested.user, requested.password, requested.query_string))


_HOSTS = [
    *("nas", "NAS.local", "nas.example.", "192.168.1.20", "[fd00::9]", "[FE80::1%eth0]"),
    *("bücher.example", "xn--bcher-kva.example"),
]
_PREFIXES = ["", "/", "/qbt", "/qbt/", "/a/b//", "//qbt"]
_ROUTES = ["", "/", "/index.html", "/login.html?x=1", "/#/torrents", "?a=b", "/api/v2/app/version"]


@given(texts | texts.map("http://".__add__) | texts.map("nas".__add__))
@example("http:" * 3 + "//nas")
@example("\ufdfa" * 20)
@FUZZ
def test_pasted_is_refused_or_in_its_normal_form(text: str) -> None:
    url = attempt(InvalidUrlError, lambda: read_pasted(text))
    if isinstance(url, InvalidUrlError):
        assert "canary" not in str(url)
        return
    assert "canary" not in url
    assert read_pasted(url) == url == normalise_url(url)
    assert same_place(url, url)
    requested = URL(f"{url}/api/v2/app/version")
    assert requested.host
    assert requested.raw_path.endswith("/api/v2/app/version")
    assert not any((requested.user, requested.password, requested.query_string))


@given(
    st.sampled_from(["http", "https"]),
    st.sampled_from([":", ":/", "://", ":////"]),
    st.sampled_from(_HOSTS),
    st.none() | st.integers(1, 65535),
    st.sampled_from(_PREFIXES),
    st.sampled_from(_ROUTES),
    st.sampled_from(["", " ", "\ufeff", "\u200b", "\n"]),
    st.booleans(),
)
@FUZZ
def test_what_was_meant_comes_out(
    scheme: str,
    colon: str,
    host: str,
    port: int | None,
    prefix: str,
    route: str,
    around: str,
    is_loud: bool,
) -> None:
    """Scheme, host, port and prefix are those that a browser would go to."""
    place = host if port is None else f"{host}:{port}"
    pasted = scheme.upper() if is_loud else scheme
    url = read_pasted(f"{around}{pasted}{colon}{place}{prefix}{route}{around}")
    asked, meant = URL(url), URL(f"{scheme}://{place}")
    assert (asked.scheme, asked.host, asked.port) == (scheme, meant.host, meant.port)
    assert asked.raw_path.strip("/") == prefix.strip("/")

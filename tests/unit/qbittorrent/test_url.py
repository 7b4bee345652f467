"""Addresses of web interfaces."""

import pytest

from custom_components.qbittorrent_resilient.core.qbittorrent.errors import InvalidUrlError
from custom_components.qbittorrent_resilient.core.qbittorrent.url import (
    host_without_port,
    normalise_url,
    same_place,
)


@pytest.mark.parametrize(
    ("given", "normalised"),
    [
        ("http://host", "http://host"),
        ("http://host/", "http://host"),
        (" https://Host.Example:8443// ", "https://host.example:8443"),
        ("HTTP://host:8080/qBit/", "http://host:8080/qBit"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[FE80::1]:8080/", "http://[fe80::1]:8080"),
        ("https://bücher.example/a/b/", "https://bücher.example/a/b"),
    ],
)
def test_taken(given: str, normalised: str) -> None:
    assert normalise_url(given) == normalised
    assert normalise_url(normalised) == normalised


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("", "http://"),
        ("host:8080", "http://"),
        ("127.0.0.1:8080", "http://"),
        ("ftp://host", "http://"),
        ("file:///etc/passwd", "http://"),
        ("javascript:alert(1)", "http://"),
        ("http://", "no host"),
        ("http:///path", "no host"),
        ("http://:8080", "no host"),
        ("http://host:0", "port 0"),
        ("http://user:canary@host", "User name"),
        ("http://canary@host", "User name"),
        ("http://@host", "User name"),
        ("http://host?canary=1", "after the path"),
        ("http://host/#canary", "after the path"),
        ("http://host\\canary", "after the path"),
        ("http://host/a b", "blank or a control"),
        ("http://ho\nst", "blank or a control"),
        ("http://host\x00", "blank or a control"),
        ("http://host/\u2028x", "blank or a control"),
        ("http://host:65536", "cannot be read"),
        ("http://host:canary", "cannot be read"),
        ("http://[::1", "cannot be read"),
        ("http://a..b", "cannot be read"),
        (f"http://{'a' * 64}.example", "cannot be read"),
    ],
)
def test_refused(given: str, reason: str) -> None:
    with pytest.raises(InvalidUrlError, match=reason) as caught:
        normalise_url(given)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("http://host", "http://host", True),
        ("http://host", "http://host:80", True),
        ("https://host", "https://host:443", True),
        ("http://host:8080", "https://host:8080", True),
        ("http://host", "https://host", False),
        ("http://host", "http://host:8080", False),
        ("http://host", "http://other", False),
        ("http://host/a", "http://host/b", False),
        ("http://[::1]:80", "http://[::1]", True),
        ("http://Host:8080/qBit/", "https://host:8080/qBit", True),
        ("http://nas.local.", "http://nas.local", True),
        ("http://[::1]", "http://[0:0::0:1]", True),
        ("http://[fd00::9]", "http://[fd00::8]", False),
        ("http://[fe80::1%eth0]", "http://[fe80::1%eth1]", False),
        ("http://[::ffff:192.168.1.20]", "http://192.168.1.20", True),
        ("http://bücher.example", "http://xn--bcher-kva.example", True),
        ("http://host/a%7Eb", "http://host/a~b", True),
        ("http://host/x/../a", "http://host/a", True),
    ],
)
def test_same_place(first: str, second: str, same: bool) -> None:
    assert same_place(first, second) is same
    assert same_place(second, first) is same


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://host:8080/prefix", "host"),
        ("https://127.0.0.1", "127.0.0.1"),
        ("http://[::1]:8080", "[::1]"),
    ],
)
def test_host_without_port(url: str, host: str) -> None:
    assert host_without_port(url) == host

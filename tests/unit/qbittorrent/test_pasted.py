"""Addresses as people type and paste them."""

import pytest

from custom_components.qbittorrent_resilient.core.qbittorrent.errors import (
    InvalidUrlError,
    UrlFault,
)
from custom_components.qbittorrent_resilient.core.qbittorrent.pasted import read_pasted
from custom_components.qbittorrent_resilient.core.qbittorrent.url import normalise_url


@pytest.mark.parametrize(
    ("pasted", "url"),
    [
        # without a scheme
        ("nas", "http://nas"),
        ("nas:8080", "http://nas:8080"),
        ("nas.local", "http://nas.local"),
        ("NAS.Local.:8080", "http://nas.local.:8080"),
        ("qbittorrent_1:8080", "http://qbittorrent_1:8080"),
        ("192.168.1.20", "http://192.168.1.20"),
        ("192.168.1.20:8080", "http://192.168.1.20:8080"),
        ("[fd00::9]:8080", "http://[fd00::9]:8080"),
        ("fd00::9", "http://[fd00::9]"),
        ("::1", "http://[::1]"),
        ("2001:db8:0:0:0:0:0:1234", "http://[2001:db8::1234]"),
        ("fd00::9:18080", "http://[fd00::9]:18080"),
        ("1:2:3:4:5:6:7:8:8080", "http://[1:2:3:4:5:6:7:8]:8080"),
        ("fe80::1%eth0", "http://[fe80::1%eth0]"),
        ("bücher.example:8080", "http://bücher.example:8080"),
        ("परीक्षा.example", "http://परीक्षा.example"),
        ("//nas:8080", "http://nas:8080"),
        ("localhost:8080/qbt/", "http://localhost:8080/qbt"),
        # the scheme of a port that has one
        ("nas:443", "https://nas"),
        ("nas:80", "http://nas"),
        ("http://nas:80/", "http://nas"),
        ("https://nas:443", "https://nas"),
        ("http://nas:443", "http://nas:443"),
        ("https://nas:0443", "https://nas"),
        ("http://nas:", "http://nas"),
        # schemes as they are typed
        ("HTTPS://NAS:8443/QBT", "https://nas:8443/QBT"),
        ("HTTP:/nas", "http://nas"),
        ("http:nas", "http://nas"),
        ("http:////nas", "http://nas"),
        ("http//nas:8080", "http://nas:8080"),
        ("http://http://nas", "http://nas"),
        ("http://https://nas", "https://nas"),
        # what the address bar shows beside the address
        ("http://nas:8080/#/torrents", "http://nas:8080"),
        ("http://nas:8080#/login", "http://nas:8080"),
        ("http://nas:8080/?theme=dark#x", "http://nas:8080"),
        ("http://nas:8080?x", "http://nas:8080"),
        ("http://nas/?mail=a@b.example", "http://nas"),
        ("http://nas:8080/index.html", "http://nas:8080"),
        ("nas:8080/login.html?lang=de", "http://nas:8080"),
        ("http://nas/qbittorrent/", "http://nas/qbittorrent"),
        ("http://nas/qbittorrent/index.html", "http://nas/qbittorrent"),
        ("http://nas/a/private/index.html", "http://nas/a"),
        ("http://nas/private/", "http://nas/private"),
        ("http://nas/a.b/", "http://nas/a.b"),
        ("http://nas:8080/api/v2/app/version", "http://nas:8080"),
        ("http://nas/qbt/api/v2/torrents/info?filter=all", "http://nas/qbt"),
        ("http://nas/qbt/api/v2", "http://nas/qbt"),
        ("http://nas/api/", "http://nas/api"),
        ("http://nas//qbt//a//", "http://nas/qbt/a"),
        # around it
        (" \t\r\n nas:8080 \n", "http://nas:8080"),
        ("\ufeffhttp://nas\u200b", "http://nas"),
        ("\u2066http://nas\u2069\u00a0", "http://nas"),
        ("<http://nas:8080/>", "http://nas:8080"),
        ("“http://nas:8080”,", "http://nas:8080"),
        # one spelling of each host
        ("http://[FD00:0:0::9]:8080", "http://[fd00::9]:8080"),
        ("http://[fe80::1%25eth0]:8080", "http://[fe80::1%eth0]:8080"),
        ("http://１９２.168.1.20", "http://192.168.1.20"),
        ("http://nas。example", "http://nas.example"),
    ],
)
def test_put_right(pasted: str, url: str) -> None:
    assert read_pasted(pasted) == url
    assert read_pasted(url) == url
    assert normalise_url(url) == url


@pytest.mark.parametrize(
    ("pasted", "fault"),
    [
        ("", UrlFault.NO_HOST),
        (" \ufeff ", UrlFault.NO_HOST),
        ("http://", UrlFault.NO_HOST),
        ("http:", UrlFault.NO_HOST),
        ("/qbittorrent", UrlFault.NO_HOST),
        (":8080", UrlFault.NO_HOST),
        ("http://admin:canary@nas", UrlFault.CREDENTIALS),
        ("admin:canary@nas:8080", UrlFault.CREDENTIALS),
        ("http://canary@nas", UrlFault.CREDENTIALS),
        ("http://@nas", UrlFault.CREDENTIALS),
        ("http://admin:1#canary@nas", UrlFault.CREDENTIALS),
        ("http://admin:1?canary@nas", UrlFault.CREDENTIALS),
        ("ws://nas", UrlFault.SCHEME),
        ("ftp://nas", UrlFault.SCHEME),
        ("file:///etc/passwd", UrlFault.SCHEME),
        ("magnet:?xt=urn:btih:canary", UrlFault.SCHEME),
        ("javascript:alert(1)", UrlFault.PORT),
        ("nas:0", UrlFault.PORT),
        ("nas:65536", UrlFault.PORT),
        ("http://nas:port", UrlFault.PORT),
        ("http://nas:-1", UrlFault.PORT),
        ("http://[fd00::9]:99999", UrlFault.PORT),
        ("nas:\u0661", UrlFault.PORT),
        ("fd00::9:8080", UrlFault.BRACKETS),
        ("8080", UrlFault.ADDRESS),
        ("192.168.1:8080", UrlFault.ADDRESS),
        ("192.168.1.300", UrlFault.ADDRESS),
        ("192.168.001.020", UrlFault.ADDRESS),
        ("http://nas:8080/a b", UrlFault.CHARACTER),
        ("http:\\\\nas", UrlFault.CHARACTER),
        ("na\u200bs", UrlFault.CHARACTER),
        ("http://nas\nHost: x", UrlFault.CHARACTER),
        ("http://one http://two", UrlFault.SEVERAL),
        ("http://one,http://two", UrlFault.SEVERAL),
        ("one, two", UrlFault.CHARACTER),
        ("one,two", UrlFault.UNREADABLE),
        ("n*s", UrlFault.UNREADABLE),
        ("a..b", UrlFault.UNREADABLE),
        ("-nas", UrlFault.UNREADABLE),
        ("http://[fd00::9", UrlFault.UNREADABLE),
        ("http://[fd00::9]8080", UrlFault.UNREADABLE),
        ("http://[nas]", UrlFault.UNREADABLE),
        ("http://[fe80::1%e/h]", UrlFault.UNREADABLE),
        ("fe80::1%", UrlFault.UNREADABLE),
        ("1:2:3", UrlFault.UNREADABLE),
        (f"http://{'a' * 64}.example", UrlFault.UNREADABLE),
        ("http://nas/" + "a" * 2048, UrlFault.UNREADABLE),
        (" " * 5000, UrlFault.UNREADABLE),
    ],
)
def test_refused(pasted: str, fault: UrlFault) -> None:
    with pytest.raises(InvalidUrlError) as caught:
        read_pasted(pasted)
    assert caught.value.fault is fault
    assert "canary" not in str(caught.value)

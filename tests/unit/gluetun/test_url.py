"""The address of a control server."""

import pytest

from custom_components.qbittorrent_resilient.core.gluetun import InvalidUrlError, normalise_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://gluetun:8000", "http://gluetun:8000"),
        ("gluetun:8000", "http://gluetun:8000"),
        ("gluetun", "http://gluetun"),
        ("192.168.1.9:8000/", "http://192.168.1.9:8000"),
        (" http://Gluetun:8000/ ", "http://gluetun:8000"),
        ("HTTPS://vpn.example/gluetun/", "https://vpn.example/gluetun"),
        ("http://gluetun:8000/v1/vpn/status", "http://gluetun:8000"),
        ("http://gluetun:8000/v1/", "http://gluetun:8000"),
        ("http://proxy/v1x/v1/publicip/ip", "http://proxy/v1x"),
        ("http://gluetun:8000/#top", "http://gluetun:8000"),
        ("http://[fd00::9]:8000", "http://[fd00::9]:8000"),
    ],
)
def test_normalised(text: str, url: str) -> None:
    assert normalise_url(text) == url
    assert normalise_url(url) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://",
        "ftp://gluetun",
        "http://gluetun:0",
        "http://gluetun:70000",
        "http://gluetun:port",
        "http://user:KEY@gluetun:8000",
        "user@gluetun:8000",
        "http://gluetun:8000?api_key=KEY",
        "http://glue tun",
        "http://gluetun\\x",
        "http://gluetun\r\nX-KEY: 1",
        "http://[fd00::9",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(InvalidUrlError) as caught:
        normalise_url(text)
    assert "KEY" not in str(caught.value)

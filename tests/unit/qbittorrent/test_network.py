"""How a server is bound, and which addresses it says it has outside."""

import json
from typing import Any
from unittest.mock import ANY

import pytest

from custom_components.qbittorrent_resilient.core.qbittorrent import network
from custom_components.qbittorrent_resilient.core.qbittorrent.dialect import Answer
from custom_components.qbittorrent_resilient.core.qbittorrent.errors import ProtocolError
from custom_components.qbittorrent_resilient.core.qbittorrent.log import (
    Complaint,
    ExternalAddress,
    LogPart,
    external_address,
    read_log,
)
from custom_components.qbittorrent_resilient.core.qbittorrent.network import (
    Binding,
    Interface,
    read_binding,
)
from tests.support.core import Http, TimedServer

CANARY = "canary7f3a"
JSON = "application/json"
HOME, TUNNEL, HOME_V6 = "203.0.113.5", "198.51.100.7", "2001:db8::5"


def binding(**fields: Any) -> Binding:
    known: dict[str, Any] = {
        "network_interface": "",
        "interface_address": "",
        "listen_port": 6881,
        "port_mapping": False,
        "proxy_type": "None",
        "proxies_peers": False,
        "proxies_torrents": True,
        "interfaces": interfaces("lo", "eth0", "tun0"),
    }
    return Binding(**(known | fields))


def interfaces(*names: str) -> tuple[Interface, ...]:
    return tuple(Interface(name, name) for name in names)


async def test_binding(server: TimedServer, http: Http) -> None:
    """Seven settings and the interfaces, in two requests, none of which changes anything."""
    server.network.bind("tun0")
    server.network.secret = CANARY
    server.network.upnp = True
    client = http.client(server)
    await client.open()
    server.record.clear()
    told = await client.binding()
    assert [(one.method, one.endpoint) for one in server.requests] == [
        ("GET", "app/preferences"),
        ("GET", "app/networkInterfaceList"),
    ]
    proxy = "0" if server.dialect.numbers_proxies else "None"
    assert told == binding(network_interface="tun0", port_mapping=True, proxy_type=proxy)
    assert CANARY not in repr(vars(client)) + repr(told)


@pytest.mark.parametrize("body", ['{"x": "canary7f3a', '{"x": "canary7f3a"}', '["canary7f3a"]'])
async def test_settings_that_cannot_be_read(newest: TimedServer, http: Http, body: str) -> None:
    """The error has nothing of the answer, nor has what it comes of."""
    newest.faults.answer(200, body, JSON, endpoint="app/preferences")
    with pytest.raises(ProtocolError) as caught:
        await http.client(newest).binding()
    error: BaseException | None = caught.value
    while error is not None:
        assert CANARY not in repr(error) + str(error) + repr(getattr(error, "doc", ""))
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    ("interface", "address", "bound"),
    [
        ("", "", False),
        ("", "0.0.0.0", False),
        ("", "::", False),
        ("tun0", "", True),
        ("tun0", "0.0.0.0", True),
        ("", "10.8.0.2", True),
    ],
)
def test_bound(interface: str, address: str, bound: bool) -> None:
    assert binding(network_interface=interface, interface_address=address).is_bound is bound


@pytest.mark.parametrize(
    ("names", "exposed"),
    [
        (("lo", "eth0", "tun0"), True),
        (("lo", "eth0", "wg0-mullvad"), True),
        (("lo", "Ethernet", "ProtonVPN"), True),
        (("lo", "eth0"), False),
        (("lo", "tun0"), False),
        (("lo", "eth0", "wlan0"), False),
        ((), False),
    ],
)
def test_tunnel_and_other(names: tuple[str, ...], exposed: bool) -> None:
    assert binding(interfaces=interfaces(*names)).has_tunnel_and_other is exposed


@pytest.mark.parametrize(
    "name", ["OpenVPN TAP-Windows6", "My WireGuard Tunnel", "Wintun Userspace"]
)
def test_tunnel_on_windows(name: str) -> None:
    assert Interface(name, "iftype53_32768").is_tunnel
    assert not Interface("Ethernet", "ethernet_32769").is_tunnel
    assert Interface("Loopback Pseudo-Interface 1", "loopback_0").is_loopback


@pytest.mark.parametrize(
    ("kind", "peers", "torrents", "hides"),
    [
        ("SOCKS5", False, True, True),
        ("2", False, True, True),
        ("4", False, True, True),
        ("5", False, True, True),
        ("SOCKS5", True, True, False),
        ("SOCKS5", False, False, False),
        ("HTTP", False, True, False),
        ("0", False, True, False),
    ],
)
def test_proxy(kind: str, peers: bool, torrents: bool, hides: bool) -> None:
    shown = binding(proxy_type=kind, proxies_peers=peers, proxies_torrents=torrents)
    assert shown.hides_trackers_only is hides


def test_lacking_interface() -> None:
    assert binding(network_interface="tun1").lacks_its_interface
    assert not binding(network_interface="tun0").lacks_its_interface
    assert not binding().lacks_its_interface


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (f'Detected external IP. IP: "{HOME}"', HOME),
        (f'Detected external IP. IP: "{HOME_V6}"', HOME_V6),
        (f"Externe IP erkannt. IP: „{HOME}“", HOME),
        (f"IP externe détectée : « {HOME} »", HOME),
        (f"L'adresse IP externe détectée : «\u00a0{HOME}\u00a0»", HOME),
        (f"检测到外部 IP。IP：“{HOME}”", HOME),
        (f"外部 IP を検出しました。IP: 「{HOME}」", HOME),
        (f"IP: '{HOME}'", HOME),
        (f"L'IP externe : ‹ {HOME_V6} ›", HOME_V6),
        (f"外部 IP：《{HOME}》", HOME),
        (f'Interface "tun0" has the external IP "{HOME}"', HOME),
        (f"It is {HOME}, isn't it? 'yes'", None),
        (f'Successfully listening on IP. IP: "{HOME}". Port: "TCP/6881"', None),
        (f'Successfully listening on IP. IP: "{HOME}". Port: "UTP/6881"', None),
        (f"IP banned by libtorrent. IP: {HOME}.", None),
        (f"Embedded Tracker: Now bound to IP: {HOME}, port: 9000", None),
        (f'Two of them: "{HOME}" and {TUNNEL}', None),
        (f'Torrent "{HOME}" is not "{TUNNEL}"', None),
        (f'Not alone: "x {HOME}"', None),
        ('No address: "tun0"', None),
        (f'Long: "{HOME}"' + "x" * 1000, None),
        ("", None),
    ],
)
def test_external_address(text: str, address: str | None) -> None:
    assert external_address(text) == address


def part(*messages: tuple[int, str], before: LogPart | None = None) -> LogPart:
    rows = [
        {"id": number, "message": text, "timestamp": 100, "type": kind}
        for number, (kind, text) in enumerate(messages)
    ]
    return read_log(Answer(200, JSON, json.dumps(rows).encode()), before or LogPart())


def test_addresses_in_the_log() -> None:
    """Each with the last message that tells it, the newest last, whatever came between."""
    told = part(
        (2, f'Detected external IP. IP: "{HOME}"'),
        (2, f'Detected external IP. IP: "{TUNNEL}"'),
        (1, f'Detected external IP. IP: "{HOME_V6}"'),
        (2, 'Successfully listening on IP. IP: "192.0.2.1". Port: "TCP/6881"'),
        (8, f'Failed to listen on IP. IP: "{HOME_V6}". Port: "TCP/6881". Reason: "x"'),
        (8, "L'interface réseau n'est pas valide. Interface : « tun0 »"),
        (2, f'Detected external IP. IP: "{HOME}"'),
        (8, "Couldn't save torrent resume data to '/x.fastresume'. Error: \"no space\""),
    )
    assert told.addresses == (ExternalAddress(1, TUNNEL), ExternalAddress(6, HOME))
    assert told.complaints == (Complaint(5, "tun0"),)
    assert told.listening == 3
    assert told.began == (0, 100.0)
    pseudo = part((2, 'Successfully listening on IP. IP: "0.0.0.0". Port: "UTP/6881"'))
    assert (pseudo.listening, pseudo.addresses) == (0, ())
    again = part((2, "x"), (8, "y"), before=LogPart(1, 100.0, began=(0, 9.0), listening=7))
    assert (again.began, again.listening, again.addresses) == ((0, 9.0), 7, ())


def test_a_log_full_of_quotes_is_read_at_once() -> None:
    """Linear in the length of the log, whatever stands in it."""
    text = '"' + "1.1.1.1 " * 50 + '""' * 20
    told = part(*[(2, text), (8, text)] * 10_000)
    assert told.addresses == ()


def test_many_addresses_are_bounded() -> None:
    told = part(*((2, f'IP: "10.{n >> 8}.{n & 255}.1"') for n in range(2000)))
    assert len(told.addresses) == 200
    assert told.addresses[-1] == ExternalAddress(1999, "10.7.207.1")


async def test_addresses_in_vitals(server: TimedServer, http: Http) -> None:
    """From the log in every version, from the fields where there are any."""
    client = http.client(server)
    await client.vitals()
    for address in (HOME, TUNNEL, HOME_V6):
        server.network.detect(address)
    told = await client.vitals()
    assert told.addresses == tuple(ExternalAddress(ANY, one) for one in (HOME, TUNNEL, HOME_V6))
    fields = (TUNNEL, HOME_V6) if server.dialect.external_address else (None, None)
    assert (told.last_v4, told.last_v6) == fields
    assert (await client.vitals()).addresses == ()
    assert HOME not in repr(told)
    assert TUNNEL not in repr(told)


async def test_nothing_of_the_settings_is_kept(newest: TimedServer, http: Http) -> None:
    newest.network.secret = CANARY
    newest.new_api_key()
    body = json.dumps(
        {"current_network_interface": "x" * 300, "current_interface_address": "", "y": CANARY}
    )
    with pytest.raises(ProtocolError, match="another form"):
        read_binding(Answer(200, JSON, body.encode()), Answer(200, JSON, b"[]"))
    told = await http.client(newest).binding()
    assert {*network.Binding.__slots__} >= {"network_interface", "proxy_type"}
    assert CANARY not in str(told)

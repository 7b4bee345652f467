"""What counts as this host, as its gateway, and as a resolver that anybody may ask."""

from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest

from custom_components.qbittorrent_resilient.flows import surroundings
from custom_components.qbittorrent_resilient.flows.surroundings import (
    Surroundings,
    is_public_resolver,
    look_around,
)

HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"
NULL = 32 * "0"


def v4(interface: str, gateway: str, *, to: str = 8 * "0", mask: str = 8 * "0") -> str:
    """Return a line of the kernel's table, its addresses as a little-endian CPU keeps them."""
    return f"{interface}\t{to}\t{gateway}\t0003\t0\t0\t0\t{mask}\t0\t0\t0"


def v6(interface: str, gateway: str, *, to: str = NULL, length: str = "00") -> str:
    flags = "00000003" if int(gateway, 16) else "00000001"
    return f"{to} {length} {NULL} 00 {gateway} 00000400 00000002 00000000 {flags} {interface:>8}"


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that stands in for the kernel's tables; the CPU is little-endian."""
    monkeypatch.setattr(surroundings, "PROC", tmp_path)
    return tmp_path


def test_gateways(proc: Path) -> None:
    lines = [
        HEAD,
        v4("eth0", "0101A8C0"),
        v4("eth1", "0100000A", to="000010AC", mask="0000FFFF"),  # the way to 172.16.0.0/16
        v4("tun0", "01080A0A"),  # the VPN has taken the default route over
        v4("wg0", "00000000").replace("\t0003\t", "\t0001\t"),
        "",
    ]
    (proc / "route").write_text("\n".join(lines))
    router = ip_address("fe80::1")
    lines = [
        v6("eth0", f"{int(router):032x}"),
        v6("eth0", f"{int(ip_address('fd00::9')):032x}", to=f"{'fd':0<32}", length="08"),
        v6("wg0", NULL),
        v6("tun0", f"{int(ip_address('fd00::8')):032x}"),
    ]
    (proc / "ipv6_route").write_text("\n".join(lines))
    found = look_around()
    assert found.gateways == {ip_address("192.168.1.1"), router}
    assert found.is_gateway(ip_address("::ffff:192.168.1.1"))
    assert found.is_gateway(ip_address("fe80::1%eth0"))
    assert not found.is_gateway(ip_address("10.8.0.1"))


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"Iface\nnothing like it\n"])
def test_without_the_kernels_tables_no_gateway_is_known(proc: Path, content: bytes | None) -> None:
    if content is not None:
        (proc / "route").write_bytes(content)
        (proc / "ipv6_route").write_bytes(content)
    assert look_around().gateways == frozenset()


def test_own_addresses() -> None:
    adapter = SimpleNamespace(
        ips=[SimpleNamespace(ip="192.168.1.5"), SimpleNamespace(ip=("2001:db8::5", 0, 2))]
    )
    with patch(f"{surroundings.__name__}.ifaddr.get_adapters", return_value=[adapter]):
        found = look_around()
    for own in (
        "192.168.1.5",
        "::ffff:192.168.1.5",
        "2001:db8::5",
        "2001:db8::5%eth0",
        "127.0.0.1",
        "127.255.255.255",
        "::1",
        "::ffff:127.0.0.1",
        "0.0.0.0",
        "::",
    ):
        assert found.is_own(ip_address(own)), own
    for other in ("192.168.1.6", "2001:db8::6", "10.8.0.1"):
        assert not found.is_own(ip_address(other)), other


def test_what_this_machine_says_is_understood() -> None:
    """A machine without a route out has no gateway; whatever it has, it is not its own."""
    found = look_around()
    assert isinstance(found, Surroundings)
    assert not any(found.is_own(gateway) for gateway in found.gateways)


def test_public_resolvers() -> None:
    for address in ("1.1.1.1", "8.8.8.8", "9.9.9.9", "2606:4700:4700::1111", "::ffff:8.8.4.4"):
        assert is_public_resolver(ip_address(address)), address
    for address in ("10.64.0.1", "192.168.1.1", "2001:db8::1"):
        assert not is_public_resolver(ip_address(address)), address

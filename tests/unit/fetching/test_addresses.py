"""From where an address can be reached, however it is written."""

import pytest

from custom_components.qbittorrent_resilient.core.fetching.addresses import Reach, reach_of

OUTSIDE, INSIDE, NEVER = Reach.OUTSIDE, Reach.INSIDE, Reach.NEVER


@pytest.mark.parametrize(
    ("host", "reach"),
    [
        *((host, OUTSIDE) for host in ("1.1.1.1", "2606:4700::1111", "64:ff9b::101:101")),
        *((host, INSIDE) for host in ("127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "::1")),
        *((host, INSIDE) for host in ("0.0.0.0", "::", "fd00::1", "100.64.0.1", "localhost")),
        *((host, INSIDE) for host in ("LOCALHOST.", "a.localhost", "::ffff:10.0.0.1")),
        *((host, INSIDE) for host in ("64:ff9b::10.0.0.1", "2002:c0a8:101::1", "::10.0.0.1")),
        *((host, NEVER) for host in ("169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0")),
        *((host, NEVER) for host in ("::ffff:169.254.169.254", "64:ff9b::169.254.169.254")),
        *((host, NEVER) for host in ("2002:a9fe:a9fe::", "fd00:ec2::254", "100.100.100.200")),
        *((host, NEVER) for host in ("metadata.google.internal", "Metadata.Google.Internal.")),
        *((host, NEVER) for host in ("224.0.0.1", "ff02::1")),
        *((host, INSIDE) for host in ("2130706433", "0x7f.1", "127.1", "0177.0.0.1", "0", "10.1.")),
        *((host, NEVER) for host in ("2852039166", "0xA9FEA9FE", "0xa9.0376.43518")),
        *((host, OUTSIDE) for host in ("16843009", "1.1")),
        *((host, None) for host in ("t.example", "beef", "0x", "1.1.1.1.1", "1.example", "")),
    ],
)
def test_reach(host: str, reach: Reach | None) -> None:
    assert reach_of(host) is reach

"""Which addresses are those of the home."""

import pytest

from custom_components.qbittorrent_resilient.core.health.home import (
    REMEMBERED_SECONDS,
    HomeAddresses,
    place_of,
)
from tests.support.core import Time

HOME, OTHER = "203.0.113.5", "203.0.113.6"


def is_home(home: HomeAddresses, address: str) -> bool:
    return home.is_home(place_of(address))


@pytest.mark.parametrize(
    "address",
    [
        *("192.168.1.2", "10.0.0.1", "172.16.0.1", "172.31.255.255", "127.0.0.1", "0.0.0.0"),
        *("169.254.1.1", "100.64.0.1", "100.127.255.255", "224.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1", "fec0::1", "fd00::1", "ff02::1", "::ffff:192.168.1.2"),
        *("", "unknown", "unavailable", "1.2.3", "203.0.113.5:80", "example.org"),
    ],
)
def test_nowhere_outside(address: str) -> None:
    assert place_of(address) is None
    home = HomeAddresses()
    home.tell("router", [address])
    assert not home.knows(4)
    assert not home.knows(6)
    assert not home.is_home(place_of(address))


def test_documentation_addresses_are_real_ones() -> None:
    addresses = ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "1.1.1.1"]
    assert None not in map(place_of, addresses)


def test_ipv6_by_prefix() -> None:
    home = HomeAddresses()
    home.tell("here", ["2001:db8:0:1::5"])
    assert is_home(home, "2001:db8:0:1:ffff::1")
    assert not is_home(home, "2001:db8:0:2::5")
    assert (home.knows(4), home.knows(6)) == (False, True)


def test_mapped_address() -> None:
    home = HomeAddresses()
    home.tell("router", [f" {HOME} "])
    assert is_home(home, f"::ffff:{HOME}")


def test_remembered_for_a_day(time: Time) -> None:
    home = HomeAddresses(time.clock)
    home.tell("router", [HOME])
    time.seconds += 10 * REMEMBERED_SECONDS
    assert is_home(home, HOME)
    home.tell("router", [OTHER])
    time.seconds += REMEMBERED_SECONDS - 1
    assert is_home(home, HOME)
    assert is_home(home, OTHER)
    time.seconds += 1
    assert not is_home(home, HOME)
    assert is_home(home, OTHER)
    home.tell("router", [])
    assert home.knows(4)
    time.seconds += REMEMBERED_SECONDS
    assert not home.knows(4)


def test_sources_are_apart(time: Time) -> None:
    home = HomeAddresses(time.clock)
    told: list[None] = []
    unsubscribe = home.subscribe(lambda: told.append(None))
    home.tell("router", [HOME])
    home.tell("asked", [HOME, OTHER])
    home.tell("asked", [HOME, OTHER])
    assert len(told) == 2
    home.tell("asked", [])
    assert is_home(home, HOME)
    unsubscribe()
    home.tell("asked", ["203.0.113.7"])
    assert len(told) == 2


def test_a_source_that_never_says_the_same_is_bounded(time: Time) -> None:
    home = HomeAddresses(time.clock)
    for number in range(3000):
        home.tell("router", [f"1.2.{number >> 8}.{number & 255}"])
    assert len(home._places()) <= 1001
    assert is_home(home, "1.2.11.183")

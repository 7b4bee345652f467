"""Where the home's addresses come from, and that nobody is asked unless the user says so."""

from collections.abc import Generator
from ipaddress import IPv6Address
from typing import Any
from unittest.mock import AsyncMock, patch

from homeassistant.core import HomeAssistant
from homeassistant.util.location import LocationInfo
import pytest

from custom_components.qbittorrent_resilient.core.health.home import HomeAddresses, place_of
from tests.support.actions import again
from tests.support.common import Start, instance, pass_time, settled
from tests.support.fake.server import FakeQBittorrent
from tests.support.routes import EXIT, HOME, HOME_V6

MODULE = "custom_components.qbittorrent_resilient.home_address"
HERE = LocationInfo(EXIT, "XX", "XXX", "", "", "", "", "UTC", 0.0, 0.0, use_metric=True)


def adapter(name: str, *addresses: str) -> dict[str, Any]:
    return {
        "name": name,
        "ipv6": [{"address": str(IPv6Address(one)), "network_prefix": 64} for one in addresses],
    }


@pytest.fixture(autouse=True)
def asked() -> Generator[AsyncMock]:
    """Return who says the home's address when asked; and let this host have two adapters."""
    adapters = [
        adapter("eth0", HOME_V6, "fe80::1"),
        adapter("wg0", "2001:db8:77::1"),
        adapter("lo", "::1"),
    ]
    with (
        patch(f"{MODULE}.async_get_adapters", AsyncMock(return_value=adapters)),
        patch(f"{MODULE}.async_detect_location_info", AsyncMock(return_value=HERE)) as asked,
    ):
        yield asked


def knows(home: HomeAddresses, address: str) -> bool:
    return home.is_home(place_of(address))


async def test_own_prefix_only(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, asked: AsyncMock
) -> None:
    """A tunnel of this host is not its home, and nobody is asked."""
    entry = await start(instance("first", primary))
    home = entry.runtime_data.home
    assert knows(home, "2001:db8::99")
    assert not knows(home, "2001:db8:77::1")
    assert not home.knows(4)
    asked.assert_not_awaited()


async def test_own_prefix_that_changes(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """Many providers give a home another prefix now and then; the old one counts for a day."""
    entry = await start(instance("first", primary))
    home = entry.runtime_data.home
    now = AsyncMock(return_value=[adapter("eth0", "2001:db8:99::1")])
    with patch(f"{MODULE}.async_load_adapters", now):
        pass_time(hass, 721)
        await settled(hass)
    assert knows(home, "2001:db8:99::7")
    assert knows(home, HOME_V6)


async def test_entities(hass: HomeAssistant, start: Start, primary: FakeQBittorrent) -> None:
    hass.states.async_set("sensor.one", f"{HOME}, 2001:db8:5::1")
    entry = await start(instance("first", primary), home=("sensor.one", "sensor.two"))
    home = entry.runtime_data.home
    assert knows(home, HOME)
    assert knows(home, "2001:db8:5::2")
    hass.states.async_set("sensor.two", EXIT)
    await settled(hass)
    assert knows(home, EXIT)
    hass.states.async_set("sensor.one", "unavailable")
    hass.states.async_remove("sensor.two")
    await settled(hass)
    assert knows(home, HOME)
    assert knows(home, EXIT)
    await again(hass, entry)
    assert knows(entry.runtime_data.home, HOME)  # for a day, over a reload


@pytest.mark.parametrize(
    "state",
    [
        f"{HOME}/24",
        f" WAN: {HOME} ",
        f"{HOME}|{EXIT}",
        f"['{HOME}', '{EXIT}']",
        f'{{"ip": "{HOME}", "prefix": "[2001:db8:5::1]/64"}}',
        f"IP:{HOME}",
        f"The address is {HOME}.",
        f"{HOME}:51413",
        f"{HOME}, ppp0:{EXIT}",
        f"IPv6:2001:db8:5::1 IPv4:{HOME}",
        f"{' '.join('abcdefghijklmnopqrstuvwxyz')} {HOME}",
    ],
)
async def test_states_of_other_forms(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, state: str
) -> None:
    hass.states.async_set("sensor.one", state)
    entry = await start(instance("first", primary), home=("sensor.one",))
    home = entry.runtime_data.home
    assert knows(home, HOME)
    assert knows(home, EXIT) is (EXIT in state)
    assert knows(home, "2001:db8:5::2") is ("2001:db8:5::1" in state)


ALIKE = ["v198.51.100.4", "1.198.51.100.4", "198.51.100.4.9", "10:30:00"]
"""What only looks like an address."""


@pytest.mark.parametrize(
    "state", ["unknown", "unavailable", "", "10.0.0.1", "fe80::1%eth0", "7.5", *ALIKE]
)
async def test_states_without_an_address(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, state: str
) -> None:
    hass.states.async_set("sensor.one", state)
    entry = await start(instance("first", primary), home=("sensor.one",))
    assert not entry.runtime_data.home.knows(4)
    assert entry.runtime_data.home.addresses() == ["2001:db8::/64"]  # this host's


async def test_other_sources_begin_anew(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """What was told by a sensor that the user had chosen by mistake does not count any more."""
    hass.states.async_set("sensor.one", HOME)
    entry = await start(instance("first", primary), home=("sensor.one",))
    hass.config_entries.async_update_entry(entry, data={**entry.data, "home_address": []})
    await settled(hass)
    assert not knows(entry.runtime_data.home, HOME)


async def test_asked_once_a_day(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, asked: AsyncMock
) -> None:
    entry = await start(instance("first", primary), options={"ask_home_address": True})
    await settled(hass)
    assert knows(entry.runtime_data.home, EXIT)
    assert asked.await_count == 1
    asked.return_value = None  # the service does not answer
    pass_time(hass, 86_401)
    await settled(hass)
    assert asked.await_count == 2
    assert knows(entry.runtime_data.home, EXIT)


async def test_asked_again_soon_where_nobody_answers(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, asked: AsyncMock
) -> None:
    """At a start of everything, the home's line may come up last."""
    asked.return_value = None
    entry = await start(instance("first", primary), options={"ask_home_address": True})
    await settled(hass)
    assert not entry.runtime_data.home.knows(4)
    asked.return_value = HERE
    pass_time(hass, 3601)
    await settled(hass)
    assert knows(entry.runtime_data.home, EXIT)
    assert asked.await_count == 2
    pass_time(hass, 3601)
    await settled(hass)
    assert asked.await_count == 2


async def test_a_reload_asks_no_more_often(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, asked: AsyncMock
) -> None:
    entry = await start(instance("first", primary), options={"ask_home_address": True})
    await settled(hass)
    for _ in range(3):
        await again(hass, entry)
        await settled(hass)
    assert asked.await_count == 1
    assert knows(entry.runtime_data.home, EXIT)
    pass_time(hass, 86_401)
    await settled(hass)
    assert asked.await_count == 2
    await hass.config_entries.async_unload(entry.entry_id)
    pass_time(hass, 200_000)
    await hass.async_block_till_done()
    assert asked.await_count == 2

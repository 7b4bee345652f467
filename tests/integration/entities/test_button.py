"""The buttons of the hub: what the actions of the same names do."""

from homeassistant.core import HomeAssistant

from tests.support.actions import add, status_of
from tests.support.common import TARGET, FakeVpn, Start, info_hash, instance, link, settled
from tests.support.fake.server import FakeQBittorrent

HUB = "button.qbittorrent_resilient"


async def press(hass: HomeAssistant, button: str) -> None:
    await hass.services.async_call(
        "button", "press", {"entity_id": f"{HUB}_{button}"}, blocking=True
    )


async def test_check_health(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary), targets=(TARGET,))
    await primary.refuse()
    rounds = vpn.rounds
    await press(hass, "check_health")
    assert status_of(hass, "first") == "unreachable"
    assert vpn.rounds == rounds + 1


async def test_retry_queue(hass: HomeAssistant, start: Start, primary: FakeQBittorrent) -> None:
    await start(instance("first", primary))
    await primary.refuse()
    await add(hass, link(1))
    await primary.listen()
    await press(hass, "retry_queue")
    assert primary.hashes == {info_hash(1)}
    await settled(hass)
    assert hass.states.is_state("sensor.qbittorrent_resilient_queued_magnets", "0")

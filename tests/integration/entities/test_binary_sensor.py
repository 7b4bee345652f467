"""The verdict on the VPN, and that nothing gets past it."""

from homeassistant.core import HomeAssistant
import pytest

from tests.support.common import TARGET, FakeClock, FakeVpn, Start, instance, link, poll
from tests.support.fake.server import FakeQBittorrent
from tests.support.states import VPN, edges, status, take_down, vpn_state


async def test_first_success_is_enough(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn
) -> None:
    await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    assert vpn_state(hass) == "on"
    assert status(hass) == "ok"
    assert vpn.rounds == 1


async def test_unknown_until_there_is_a_verdict(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn
) -> None:
    vpn.up = False
    await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    assert vpn_state(hass) == "unknown"
    assert status(hass) == "vpn_down"
    await poll(hass, 3)
    assert vpn_state(hass) == "unknown"
    await poll(hass, 3)
    assert vpn_state(hass) == "off"
    assert vpn.rounds == 3
    assert primary.record.connections == 0


async def test_down_and_up(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    vpn: FakeVpn,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    await take_down(hass, vpn)
    assert status(hass) == "vpn_down"
    for _ in range(10):
        await poll(hass)
    assert vpn_state(hass) == "off"
    vpn.up = True
    await poll(hass)
    assert vpn_state(hass) == "off"
    assert status(hass) == "vpn_down"
    await poll(hass, 3)
    assert vpn_state(hass) == "on"
    assert status(hass) == "ok"
    for _ in range(10):
        await poll(hass)
    expected = ["The VPN is up", "First is ok", "The VPN is down", "The VPN is up", "First is ok"]
    assert edges(caplog) == expected


async def test_one_failed_round_changes_nothing(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn
) -> None:
    await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    for _ in range(3):
        vpn.up = False
        await poll(hass)
        await poll(hass, 3)
        vpn.up = True
        await poll(hass, 3)  # two of three failed, then one came through
        assert vpn_state(hass) == "on"
        assert status(hass) == "ok"


async def test_rounds_follow_soon_only_while_in_doubt(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn
) -> None:
    await start(instance("first", primary), targets=(TARGET,))
    await poll(hass, 3)
    assert vpn.rounds == 1  # no doubt: the whole interval
    vpn.up = False
    await poll(hass)
    assert vpn.rounds == 2
    await poll(hass, 0.5)
    assert vpn.rounds == 2  # not at once either
    await poll(hass, 3)
    await poll(hass, 3)
    assert vpn.rounds == 4
    assert vpn_state(hass) == "off"
    await poll(hass, 3)
    assert vpn.rounds == 4  # settled
    vpn.up = True
    await poll(hass)
    assert vpn.rounds == 5
    await poll(hass, 3)
    assert vpn.rounds == 6
    assert vpn_state(hass) == "on"
    await poll(hass, 3)
    assert vpn.rounds == 6


@pytest.mark.parametrize(("fall", "rise"), [(1, 1), (2, 4), (5, 2)])
async def test_rise_and_fall(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    vpn: FakeVpn,
    fall: int,
    rise: int,
) -> None:
    options = {"failures_before_down": fall, "successes_before_up": rise}
    await start(instance("first", primary), targets=(TARGET,), options=options)
    for up, rounds, before, after in ((False, fall, "on", "off"), (True, rise, "off", "on")):
        vpn.up = up
        for number in range(1, rounds + 1):
            assert vpn_state(hass) == before
            await poll(hass, 31 if number == 1 else 3)
        assert vpn_state(hass) == after


async def test_any_target_will_do(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    vpn: FakeVpn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dead = {"192.0.2.8"}
    everyone = FakeVpn.__call__

    async def some(self: FakeVpn, target: str) -> object:
        self.up = target not in dead
        return await everyone(self, target)

    monkeypatch.setattr(FakeVpn, "__call__", some)
    await start(instance("first", primary), targets=("192.0.2.8", TARGET))
    assert vpn_state(hass) == "on"
    dead.add(TARGET)
    for _ in range(3):
        await poll(hass)
    assert vpn_state(hass) == "off"
    dead.remove("192.0.2.8")
    for _ in range(2):
        await poll(hass)
    assert vpn_state(hass) == "on"


async def test_icmp_not_permitted(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    vpn: FakeVpn,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await start(
        instance("first", primary, requires_vpn=True),
        instance("second", secondary, priority=2),
        targets=(TARGET,),
    )
    vpn.permitted = False
    caplog.clear()
    await poll(hass)
    for _ in range(10):
        primary.record.clear()
        await poll(hass)
        assert vpn_state(hass) == "unknown"
        assert status(hass) == "vpn_down"
        assert hass.states.is_state("sensor.second_status", "ok")
        assert not primary.requests
    vpn.permitted = True
    await poll(hass)
    assert vpn_state(hass) == "on"
    assert status(hass) == "ok"
    down, *up = edges(caplog)
    assert "permits no ICMP socket" in down
    assert up == ["The VPN is up", "First is ok"]


async def test_icmp_not_permitted_from_the_start(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    vpn: FakeVpn,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # The user has to hear why nothing works, though the verdict never changes.
    vpn.permitted = False
    await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    for _ in range(5):
        await poll(hass)
    assert vpn_state(hass) == "unknown"
    assert primary.record.connections == 0
    (line,) = edges(caplog)
    assert "permits no ICMP socket" in line


async def test_nothing_is_sent_while_the_vpn_is_not_on(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn, clock: FakeClock
) -> None:
    async def act() -> None:
        for action, data in (
            ("add_magnets", {"magnets": [link(1), link(2)], "wait_for_vpn": 4}),
            ("retry_queue", {}),
            ("check_health", {}),
        ):
            await hass.services.async_call(
                "qbittorrent_resilient", action, data, blocking=True, return_response=True
            )
        for _ in range(5):
            await poll(hass)

    vpn.up = False
    entry = await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    await act()
    assert vpn_state(hass) == "off"
    assert await hass.config_entries.async_reload(entry.entry_id)
    await act()
    assert primary.record.connections == 0
    vpn.up = True
    await poll(hass)
    await poll(hass, 3)
    assert vpn_state(hass) == "on"
    await poll(hass, 3)
    assert len(primary.hashes) == 2
    await take_down(hass, vpn)
    primary.record.clear()
    await act()
    vpn.permitted = False
    await act()
    assert vpn_state(hass) == "unknown"
    assert not primary.requests
    assert primary.record.connections == 0


async def test_no_vpn_is_watched(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn
) -> None:
    await start(instance("first", primary))
    await poll(hass)
    assert hass.states.get(VPN) is None
    assert vpn.rounds == 0
    assert status(hass) == "ok"


async def test_other_instances_do_not_mind_the_vpn(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn
) -> None:
    await start(instance("first", primary), targets=(TARGET,))
    await take_down(hass, vpn)
    assert status(hass) == "ok"
    primary.record.clear()
    await poll(hass)
    assert primary.requests_to("transfer/info")

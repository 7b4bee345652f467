"""What a server says of itself, and checks that the user asks for."""

import asyncio
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.support.actions import add, call
from tests.support.common import (
    TARGET,
    FakeClock,
    FakeVpn,
    Start,
    eventually,
    instance,
    link,
    pass_time,
    poll,
)
from tests.support.fake.dialect import Dialect
from tests.support.fake.server import FakeQBittorrent
from tests.support.states import CHECK, endpoints, status

pytestmark = pytest.mark.usefixtures("socket_enabled", "vpn")


async def test_disconnected(
    hass: HomeAssistant, start: Start, clock: FakeClock, dialect: Dialect
) -> None:
    async with FakeQBittorrent(dialect) as server:
        await start(instance("first", server))
        clock.tick(60)
        server.connection_status = "disconnected"
        await poll(hass)
        assert status(hass) == "disconnected"
        server.record.clear()
        await poll(hass)
        assert endpoints(server) == CHECK
        server.connection_status = "connected"
        await poll(hass)
        assert status(hass) == "ok"


async def test_disconnected_just_after_its_start(
    hass: HomeAssistant,
    start: Start,
    clock: FakeClock,
    dialect: Dialect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with FakeQBittorrent(dialect) as server:
        await start(instance("first", server))
        clock.tick(1000)
        monkeypatch.setattr(server, "now", clock.make().now)
        await poll(hass)
        await server.restart()
        server.connection_status = "disconnected"
        await poll(hass)
        assert status(hass) == "ok"
        clock.tick(25)
        await poll(hass)
        assert status(hass) == "ok"
        clock.tick(10)
        await poll(hass)
        assert status(hass) == "disconnected"


async def test_disconnected_when_home_assistant_starts(
    hass: HomeAssistant, start: Start, clock: FakeClock, dialect: Dialect
) -> None:
    async with FakeQBittorrent(dialect) as server:
        await server.restart()
        server.connection_status = "disconnected"
        await start(instance("first", server))
        assert status(hass) == "ok"
        clock.tick(31)
        await poll(hass)
        assert status(hass) == "disconnected"


async def test_not_saving(
    hass: HomeAssistant, start: Start, clock: FakeClock, dialect: Dialect
) -> None:
    async with FakeQBittorrent(dialect) as server:
        await start(instance("first", server))
        server.say_not_saving()
        await poll(hass)
        assert status(hass) == "not_saving"
        # It never says that saving works again; until then each failure counts anew.
        clock.tick(500)
        server.say_not_saving()
        await poll(hass)
        clock.tick(500)
        await poll(hass)
        assert status(hass) == "not_saving"
        clock.tick(101)
        await poll(hass)
        assert status(hass) == "ok"


async def test_not_saving_ends_with_a_restart(
    hass: HomeAssistant, start: Start, dialect: Dialect
) -> None:
    async with FakeQBittorrent(dialect) as server:
        server.say_not_saving("Permission denied")
        await start(instance("first", server))
        assert status(hass) == "not_saving"
        await server.restart()
        await poll(hass)
        assert status(hass) == "ok"
        server.say_not_saving()
        await poll(hass)
        assert status(hass) == "not_saving"


async def test_vpn_down_is_looked_at_first(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn
) -> None:
    vpn.up = False
    await primary.refuse()
    entry: MockConfigEntry = await start(
        instance("first", primary, requires_vpn=True), targets=(TARGET,)
    )
    assert status(hass) == "vpn_down"
    vpn.up = True
    await poll(hass)
    assert status(hass) == "unreachable"
    assert entry.state.recoverable


async def test_check_health_is_a_check(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn
) -> None:
    await start(instance("first", primary), targets=(TARGET,))

    async def check() -> dict[str, Any]:
        return await call(hass, "check_health")

    assert await check() == {"vpn": "on", "instances": {"First": "ok"}, "reasons": {}}
    rounds = vpn.rounds
    primary.record.clear()
    vpn.up = False
    await primary.refuse()
    for verdict in ("on", "on", "off"):  # each counts as a round
        found = await check()
        assert found.pop("reasons").keys() == {TARGET, "First"}
        assert found == {"vpn": verdict, "instances": {"First": "unreachable"}}
    assert vpn.rounds == rounds + 3
    assert status(hass) == "unreachable"
    assert hass.states.is_state("binary_sensor.qbittorrent_resilient_vpn", "off")


async def test_check_health_of_a_server_that_hangs(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    primary.freeze()
    primary.record.clear()
    asked = asyncio.create_task(
        hass.services.async_call(
            "qbittorrent_resilient", "check_health", blocking=True, return_response=True
        )
    )
    for requests in (1, 2):  # two silences in a row are a verdict, and it is waited for
        await eventually(lambda wanted=requests: len(primary.requests) == wanted)
        assert not asked.done()
        pass_time(hass, 11)
    assert await asked == {
        "vpn": None,
        "instances": {"First": "timeout"},
        "reasons": {"First": "it does not answer in time (time limit reached)"},
    }
    assert status(hass) == "timeout"


async def test_old_failure_to_save_does_not_count_again(
    hass: HomeAssistant, start: Start, clock: FakeClock, dialect: Dialect
) -> None:
    """A session that is renewed has the whole log read again."""
    async with FakeQBittorrent(dialect) as server:
        await start(instance("first", server))
        server.say_not_saving()
        await poll(hass)
        assert status(hass) == "not_saving"
        server.expire_sessions()
        await poll(hass)
        assert status(hass) == "not_saving"
        clock.tick(601)
        await poll(hass)
        assert status(hass) == "ok"
        server.expire_sessions()
        await poll(hass)
        assert status(hass) == "ok"


async def test_not_saving_ends_with_a_restart_behind_an_api_key(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """No session tells of it; that the log begins anew does."""
    key = primary.new_api_key()
    await start(instance("first", primary, api_key=key, username="", password=""))
    primary.say_not_saving()
    await poll(hass)
    assert status(hass) == "not_saving"
    await primary.restart()
    await poll(hass)
    await poll(hass)
    assert status(hass) == "ok"


async def test_error_is_met_by_a_delivery_first(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    """The server's own check follows at once: the response does not contradict itself."""
    await start(instance("first", primary), instance("second", secondary, priority=2))
    primary.faults.answer(503, "no")
    response = await add(hass, link(1), max_retries=0)
    assert [one["instance"] for one in response["added"]] == ["Second"]
    assert response["health"]["instances"] == {"First": "error", "Second": "ok"}
    assert status(hass) == "error"


async def test_odd_answer_to_one_request_is_no_verdict(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    primary.faults.answer(503, "no", endpoint="torrents/info")
    response = await add(hass, link(1), max_retries=0)
    assert [one["reason"] for one in response["queued"]] == ["error"]
    assert status(hass) == "ok"


async def test_server_that_hangs_from_the_start_is_said_to_be_silent(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    primary.freeze()
    await start(instance("first", primary))
    response = await add(hass, link(1), queue=False)
    assert [one["reason"] for one in response["failed"]] == ["timeout"]
    assert response["health"]["instances"] == {"First": "timeout"}
    await primary.thaw()

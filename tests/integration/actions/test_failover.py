"""Where magnets go when a server is down, and where they are already."""

from collections.abc import Awaitable, Callable

from homeassistant.core import HomeAssistant
import pytest

from tests.support.actions import add, call, on_request, sent, status_of
from tests.support.common import FakeClock, Start, first_and_second, info_hash, instance, link
from tests.support.fake.dialect import V4_5, V5_3
from tests.support.fake.record import Received
from tests.support.fake.server import FakeQBittorrent

V2 = "cd" * 32


async def _refuse(server: FakeQBittorrent) -> None:
    await server.refuse()


async def _hang(server: FakeQBittorrent) -> None:
    server.faults.hang()


async def _freeze(server: FakeQBittorrent) -> None:
    server.freeze()


async def _cut(server: FakeQBittorrent) -> None:
    server.faults.cut()


async def _unavailable(server: FakeQBittorrent) -> None:
    server.faults.answer(503, "Service Unavailable")


async def _gateway_page(server: FakeQBittorrent) -> None:
    server.faults.answer(502, "<html>Bad Gateway</html>", "text/html")


async def _proxy_page(server: FakeQBittorrent) -> None:
    server.faults.login_page()


async def _ban(server: FakeQBittorrent) -> None:
    server.expire_sessions()
    server.ban()


async def _new_password(server: FakeQBittorrent) -> None:
    server.settings.password = "changed"
    server.expire_sessions()


async def _disconnect(server: FakeQBittorrent) -> None:
    server.connection_status = "disconnected"


async def _disk_full(server: FakeQBittorrent) -> None:
    server.say_not_saving()


FAULTS: dict[str, tuple[Callable[[FakeQBittorrent], Awaitable[None]], str]] = {
    "refused": (_refuse, "unreachable"),
    "hanging": (_hang, "timeout"),
    "frozen": (_freeze, "timeout"),
    "cut": (_cut, "unreachable"),
    "5xx": (_unavailable, "error"),
    "gateway page": (_gateway_page, "error"),
    "proxy page": (_proxy_page, "error"),
    "banned": (_ban, "banned"),
    "auth failed": (_new_password, "auth_failed"),
    "disconnected": (_disconnect, "disconnected"),
    "not saving": (_disk_full, "not_saving"),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_known_fault_of_the_first(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
    impatient: None,
    name: str,
) -> None:
    await start(*first_and_second(primary, secondary))
    clock.tick(60)  # a server that has just started may be `disconnected`
    inject, status = FAULTS[name]
    await inject(primary)
    health = await call(hass, "check_health")
    assert health["instances"] == {"First": status, "Second": "ok"}
    response = await add(hass, link(1), link(2))
    assert [one["instance"] for one in response["added"]] == ["Second", "Second"]
    assert [one["status"] for one in response["added"]] == ["added", "added"]
    assert not primary.adds
    assert secondary.hashes == {info_hash(1), info_hash(2)}
    assert status_of(hass, "first") == status


@pytest.mark.parametrize(
    "name", [one for one in FAULTS if one not in ("disconnected", "not saving")]
)
async def test_fault_of_the_first_shows_when_it_is_used(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
    impatient: None,
    name: str,
) -> None:
    await start(*first_and_second(primary, secondary))
    await FAULTS[name][0](primary)
    response = await add(hass, link(1), link(2))
    assert [one["instance"] for one in response["added"]] == ["Second", "Second"]
    assert not primary.adds
    assert (await call(hass, "get_queue"))["queued"] == []


@pytest.mark.parametrize("name", ["hanging", "cut", "5xx", "gateway page", "proxy page"])
async def test_fault_shows_only_at_the_add(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
    impatient: None,
    name: str,
) -> None:
    await start(*first_and_second(primary, secondary))
    await FAULTS[name][0](primary)
    (fault,) = primary.faults
    fault.endpoint = "torrents/add"
    response = await add(hass, link(1), max_retries=1)
    assert [one["instance"] for one in response["added"]] == ["Second"]
    assert len(primary.requests_to("torrents/add")) == 2
    assert not primary.hashes


async def test_certificate_that_is_not_trusted(
    hass: HomeAssistant, start: Start, secondary: FakeQBittorrent
) -> None:
    # The far end of a handshake that is broken off complains in this loop.
    hass.loop.set_exception_handler(lambda _, context: None)
    async with FakeQBittorrent(V5_3, https=True) as server:
        await start(*first_and_second(server, secondary))
        response = await add(hass, link(1))
        assert response["added"][0]["instance"] == "Second"
        assert response["health"]["instances"] == {"First": "ssl_error", "Second": "ok"}
        assert not server.requests


async def test_certificate_that_need_not_be_trusted(
    hass: HomeAssistant, start: Start, socket_enabled: None
) -> None:
    async with FakeQBittorrent(V5_3, https=True) as server:
        entry = await start(instance("first", server, verify_ssl=False))
        assert (await add(hass, link(1)))["added"][0]["instance"] == "First"
        await hass.config_entries.async_unload(entry.entry_id)


async def test_host_rejected(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    primary.faults.answer(401, "Unauthorized")  # whatever the Host header, with port or without
    await start(*first_and_second(primary, secondary))
    response = await add(hass, link(1))
    assert response["added"][0]["instance"] == "Second"
    assert response["health"]["instances"]["First"] == "host_rejected"
    assert not primary.logins


async def test_both_down(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    """The reason is that of the instance which is first in line."""
    await start(*first_and_second(primary, secondary))
    await secondary.refuse()
    primary.faults.answer(503, "no")
    response = await add(hass, link(1))
    assert response["queued"][0]["reason"] == "error"
    primary.faults.clear()
    await primary.refuse()
    response = await add(hass, link(2))
    assert response["queued"][0]["reason"] == "unreachable"
    reasons = [one["reason"] for one in (await call(hass, "get_queue"))["queued"]]
    assert reasons == ["unreachable", "unreachable"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
async def test_priority_counts_whatever_the_order_of_set_up(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    order: tuple[int, ...],
) -> None:
    async with FakeQBittorrent(V4_5) as third:
        given = [
            instance("first", primary, priority=1),
            instance("second", secondary, priority=5),
            instance("third", third, priority=70),
        ]
        await start(*(given[one] for one in order))
        response = await add(hass, link(1))
        assert response["added"][0]["instance"] == "First"
        assert list(response["health"]["instances"]) == ["First", "Second", "Third"]
        await primary.refuse()
        assert (await add(hass, link(2)))["added"][0]["instance"] == "Second"
        await secondary.refuse()
        assert (await add(hass, link(3)))["added"][0]["instance"] == "Third"
        await primary.listen()
        assert (await add(hass, link(4)))["added"][0]["instance"] == "First"


@pytest.mark.parametrize("hybrid", [False, True], ids=["v1", "became hybrid"])
async def test_already_present_on_any_usable_instance(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    *,
    hybrid: bool,
) -> None:
    await start(*first_and_second(primary, secondary))
    secondary.add(link(1))
    if hybrid:
        secondary.become_hybrid(info_hash(1), V2)
        assert info_hash(1) not in secondary.hashes
    response = await add(hass, link(1), link(2))
    assert [(one["instance"], one["status"]) for one in response["added"]] == [
        ("Second", "already_present"),
        ("First", "added"),
    ]
    assert response["added"][0]["info_hash"] == info_hash(1)
    assert sent(primary, secondary) == [info_hash(2)]


async def test_present_on_an_instance_that_is_down(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    await start(*first_and_second(primary, secondary))
    secondary.add(link(1))
    await secondary.refuse()
    (one,) = (await add(hass, link(1)))["added"]
    assert (one["instance"], one["status"]) == ("First", "added")


async def test_refused_as_present_by_hashes_that_the_list_did_not_show(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """Added by somebody else between the look and the add."""
    await start(instance("first", primary))

    def look(received: Received) -> None:
        if received.endpoint == "torrents/add":
            primary.add(link(1))

    on_request(primary, look)
    (one,) = (await add(hass, link(1)))["added"]
    assert (one["instance"], one["status"]) == ("First", "already_present")


@pytest.mark.parametrize("fault", ["cut", "502"])
async def test_passing_fault_of_a_question_is_no_reason_to_go_on(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
    fault: str,
) -> None:
    """`max_retries` counts for the look before and the look after as well."""
    await start(instance("first", primary), instance("second", secondary, priority=2))

    def fail(times: int) -> None:
        if fault == "cut":
            primary.faults.cut("torrents/info", times=times)
        else:
            primary.faults.answer(502, "no", endpoint="torrents/info", times=times)

    fail(3)
    assert [one["instance"] for one in (await add(hass, link(1)))["added"]] == ["First"]
    fail(1)
    response = await add(hass, link(2), max_retries=0)
    assert [one["instance"] for one in response["added"]] == ["Second"]

    def look(received: Received) -> None:
        if received.endpoint == "torrents/add":
            fail(2)

    on_request(primary, look)
    await call(hass, "check_health")
    response = await add(hass, link(3), queue=False)
    assert [(one["instance"], one["status"]) for one in response["added"]] == [("First", "added")]

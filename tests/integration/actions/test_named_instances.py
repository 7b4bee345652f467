"""The field `instances`: only these may get the magnets, in this order."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr
import pytest

from tests.support.actions import add, call, hashes, sent
from tests.support.common import (
    TARGET,
    FakeClock,
    FakeVpn,
    Start,
    eventually,
    info_hash,
    instance,
    link,
    poll,
    settled,
)
from tests.support.fake.server import FakeQBittorrent

KEYS = ("first", "second", "third")

type Servers = dict[str, FakeQBittorrent]


@pytest.fixture
async def servers(socket_enabled: None) -> AsyncGenerator[Servers]:
    """Give three servers, by their keys."""
    async with AsyncExitStack() as started:
        yield {key: await started.enter_async_context(FakeQBittorrent()) for key in KEYS}


def all_of(servers: Servers, **fields: Any) -> list[Any]:
    """Return their subentries, in line as they are named."""
    return [
        instance(key, server, priority=place, **fields)
        for place, (key, server) in enumerate(servers.items(), 1)
    ]


def device_of(hass: HomeAssistant, key: str) -> str:
    """Return the id of the device with this key."""
    identifier = ("qbittorrent_resilient", key)
    device = dr.async_get(hass).async_get_device_by_identifier(identifier, "hub")
    assert device is not None
    return device.id


def where(response: dict[str, Any]) -> list[str]:
    return [one["instance"] for one in response["added"]]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Third", "Third"),
        (" tHIRD\n", "Third"),
        (["second", "first"], "Second"),
        (["Third", "third", "First"], "Third"),
    ],
)
async def test_only_these_in_this_order(
    hass: HomeAssistant, start: Start, servers: Servers, given: Any, name: str
) -> None:
    await start(*all_of(servers))
    assert where(await add(hass, link(1), instances=given)) == [name]
    assert [one for one in servers.values() if one.adds] == [servers[name.lower()]]


async def test_devices(hass: HomeAssistant, start: Start, servers: Servers) -> None:
    await start(*all_of(servers))
    third, second = device_of(hass, "third"), device_of(hass, "second")
    assert where(await add(hass, link(1), instances=[third, second])) == ["Third"]
    assert where(await add(hass, link(2), instances=second)) == ["Second"]
    assert where(await add(hass, link(3), instances=["second", third])) == ["Second"]


async def test_failover_only_among_them(
    hass: HomeAssistant, start: Start, servers: Servers
) -> None:
    await start(*all_of(servers))
    await servers["third"].refuse()
    response = await add(hass, link(1), instances=["third", "first"])
    assert where(response) == ["First"]
    event = hass.states.get("event.qbittorrent_resilient_magnets")
    assert event is not None
    assert event.attributes["event_type"] == "failed_over"
    await servers["first"].refuse()
    await call(hass, "check_health")
    response = await add(hass, link(2), instances=["third", "first"])
    assert response["queued"] == [
        {"info_hash": info_hash(2), "name": "Torrent 2", "reason": "unreachable"}
    ]
    assert not servers["second"].adds
    failed = await add(hass, link(3), instances="first", queue=False)
    assert [one["reason"] for one in failed["failed"]] == ["unreachable"]


async def test_first_in_line_is_no_failover(
    hass: HomeAssistant, start: Start, servers: Servers
) -> None:
    await start(*all_of(servers))
    await add(hass, link(1), instances=["third", "first"])
    event = hass.states.get("event.qbittorrent_resilient_magnets")
    assert event is not None
    assert (event.attributes["event_type"], event.attributes["instance"]) == ("added", "Third")


async def test_each_call_has_its_own(hass: HomeAssistant, start: Start, servers: Servers) -> None:
    """In one pass over the queue, each goes its own way."""
    await start(*all_of(servers))
    for server in servers.values():
        await server.refuse()
    ways = [None, ["third", "second"], ["second"], ["third"], ["first", "third"]]
    for number, way in enumerate(ways, 1):
        await add(hass, link(number), **({} if way is None else {"instances": way}))
    await servers["second"].listen()
    await servers["third"].listen()
    await call(hass, "retry_queue")
    await settled(hass)
    assert servers["second"].hashes == {info_hash(one) for one in (1, 3)}
    assert servers["third"].hashes == {info_hash(one) for one in (2, 4, 5)}
    assert not servers["first"].adds


async def test_kept_over_a_restart_and_a_new_name(
    hass: HomeAssistant, start: Start, servers: Servers
) -> None:
    entry = await start(*all_of(servers))
    await servers["third"].refuse()
    await add(hass, link(1), instances="Third")
    third = entry.subentries["third"]
    hass.config_entries.async_update_subentry(entry, third, title="Attic")
    await hass.async_block_till_done()
    await settled(hass)
    await servers["third"].listen()
    await call(hass, "retry_queue")
    assert servers["third"].hashes == {info_hash(1)}
    assert not servers["first"].adds
    with pytest.raises(ServiceValidationError):
        await add(hass, link(2), instances="Third")
    assert where(await add(hass, link(2), instances="attic")) == ["Attic"]


async def test_what_remains_counts(hass: HomeAssistant, start: Start, servers: Servers) -> None:
    entry = await start(*all_of(servers))
    for key in ("second", "third"):
        await servers[key].refuse()
    await add(hass, link(1), instances=["third", "second"])
    await add(hass, link(2), instances=["third"])
    hass.config_entries.async_remove_subentry(entry, "third")
    await hass.async_block_till_done()
    await settled(hass)
    await servers["second"].listen()
    await call(hass, "check_health")
    answer = await call(hass, "retry_queue")
    await settled(hass)
    assert servers["second"].hashes == {info_hash(1)}
    assert [(one["info_hash"], one["reason"]) for one in answer["queued"]] == [
        (info_hash(2), "no_instance")
    ]
    assert not servers["first"].adds


async def test_waits_and_expires(
    hass: HomeAssistant, start: Start, servers: Servers, clock: FakeClock
) -> None:
    entry = await start(*all_of(servers), options={"queue_expiry": 1})
    await servers["third"].refuse()
    await add(hass, link(1), instances="third")
    hass.config_entries.async_remove_subentry(entry, "third")
    await hass.async_block_till_done()
    await poll(hass)
    books = await call(hass, "get_queue")
    assert [one["reason"] for one in books["queued"]] == ["no_instance"]
    clock.tick(25 * 3600)
    await entry.runtime_data.dispatcher._worker.drain()
    books = await call(hass, "get_queue")
    assert [one["reason"] for one in books["failed"]] == ["expired"]
    await call(hass, "retry_failed", all=True)
    await settled(hass)
    assert not servers["first"].adds


async def test_set_up_anew(hass: HomeAssistant, start: Start, servers: Servers) -> None:
    """What outlives its entry goes to servers of the same names, and to no others."""
    entry = await start(*all_of(servers))
    await servers["second"].refuse()
    await servers["third"].refuse()
    await add(hass, link(1), instances="third")
    await add(hass, link(2), instances="second")
    await hass.config_entries.async_remove(entry.entry_id)
    await servers["third"].listen()
    await servers["second"].listen()
    new = all_of({f"{key}-anew": server for key, server in servers.items()})
    await start(*({**one, "title": one["title"].removesuffix("-anew")} for one in (new[0], new[2])))
    await eventually(lambda: servers["third"].hashes)
    await call(hass, "retry_queue")
    assert sent(servers["third"]) == [info_hash(1)]
    assert not servers["first"].adds
    assert not servers["second"].adds
    (waiting,) = (await call(hass, "get_queue"))["queued"]
    assert (waiting["info_hash"], waiting["reason"]) == (info_hash(2), "no_instance")


async def test_newest_wishes_win(hass: HomeAssistant, start: Start, servers: Servers) -> None:
    await start(*all_of(servers))
    for key in ("second", "third"):
        await servers[key].refuse()
    for number in (1, 2):
        await add(hass, link(number), instances="third")
    again = await add(hass, link(1), instances=["second"])
    assert hashes(again["queued"]) == [info_hash(1)]
    assert where(await add(hass, link(2))) == ["First"]
    for key in ("third", "second"):
        await servers[key].listen()
    await call(hass, "retry_queue")
    await settled(hass)
    assert servers["second"].hashes == {info_hash(1)}
    assert not servers["third"].adds


async def test_newest_wishes_win_over_a_request_that_waits(
    hass: HomeAssistant, start: Start, servers: Servers
) -> None:
    """One request is sent at a time: what waits for its turn may be removed, or given again."""
    entry = await start(*all_of(servers))
    turn = entry.runtime_data.dispatcher._deliverer._context.send_lock
    fault = servers["first"].faults.delay(1, "torrents/add", times=1)
    slow = hass.async_create_task(add(hass, link(1), instances="first"))
    await eventually(lambda: fault.hits)
    numbers = (2, 3, 4)
    waiting = hass.async_create_task(add(hass, *map(link, numbers), instances="second"))
    await eventually(lambda: turn._waiters)
    removed = await call(hass, "remove_magnets", info_hashes=[info_hash(2)])
    again = hass.async_create_task(add(hass, link(3), instances="third"))
    assert where(await slow) == ["First"]
    assert removed["removed"] == [info_hash(2)]
    assert hashes((await waiting)["added"]) == [info_hash(4)]
    await again
    await call(hass, "retry_queue")
    await settled(hass)
    assert sent(servers["second"]) == [info_hash(4)]
    assert sent(servers["third"]) == [info_hash(3)]


async def test_one_that_was_not_named_has_it_already(
    hass: HomeAssistant, start: Start, servers: Servers
) -> None:
    await start(*all_of(servers))
    await add(hass, link(1))
    response = await add(hass, link(1), link(2), instances="third")
    assert [(one["instance"], one["status"]) for one in response["added"]] == [
        ("First", "already_present"),
        ("Third", "added"),
    ]
    assert sent(servers["third"]) == [info_hash(2)]


async def test_require_vpn_still_filters(
    hass: HomeAssistant, start: Start, servers: Servers, vpn: FakeVpn
) -> None:
    first, second, third = all_of(servers)
    third["data"] = {**third["data"], "requires_vpn": True}
    await start(first, second, third, targets=(TARGET,))
    response = await add(hass, link(1), instances=["second", "third"], require_vpn=True)
    assert where(response) == ["Third"]
    response = await add(hass, link(2), instances=["second"], require_vpn=True)
    assert [one["reason"] for one in response["queued"]] == ["no_instance"]


async def test_waits_for_the_vpn_only_where_a_named_one_requires_it(
    hass: HomeAssistant, start: Start, servers: Servers, vpn: FakeVpn, clock: FakeClock
) -> None:
    vpn.up = False
    first, second, third = all_of(servers)
    third["data"] = {**third["data"], "requires_vpn": True}
    await start(first, second, third, targets=(TARGET,))
    for _ in range(3):
        await call(hass, "check_health")
    rounds = vpn.rounds
    response = await add(hass, link(1), instances="second", wait_for_vpn=60)
    assert where(response) == ["Second"]
    assert vpn.rounds == rounds
    vpn.up = True
    response = await add(hass, link(2), instances=["third", "second"], wait_for_vpn=60)
    assert where(response) == ["Third"]


async def test_lost_by_a_restart_it_goes_back_to_them(
    hass: HomeAssistant, start: Start, servers: Servers
) -> None:
    entry = await start(*all_of(servers))
    await add(hass, link(1), instances=["third"])
    await servers["third"].restart(keep="none")
    assert not servers["third"].hashes
    await call(hass, "check_health")
    await entry.runtime_data.dispatcher._worker.reconcile()
    await settled(hass)
    await eventually(lambda: servers["third"].hashes == {info_hash(1)})
    assert not servers["first"].adds
    assert not servers["second"].adds


@pytest.mark.parametrize(
    "given",
    [
        "nope",
        ["first", "magnet:?xt=urn:btih:canary"],
        "first, second",
        [],
        "",
        [" "],
        ["qbittorrent_resilient"],
    ],
    ids=ascii,
)
async def test_unknown(hass: HomeAssistant, start: Start, servers: Servers, given: Any) -> None:
    await start(*all_of(servers))
    with pytest.raises(ServiceValidationError) as raised:
        await add(hass, link(1), instances=given)
    place = 2 if len(given) == 2 and isinstance(given, list) else 1
    assert raised.value.translation_key == "unknown_instance"
    assert raised.value.translation_placeholders == {
        "place": str(place),
        "known": "First, Second, Third",
    }
    assert "canary" not in str(raised.value)
    assert not any(server.adds for server in servers.values())
    assert await call(hass, "get_queue") == {"queued": [], "failed": []}


async def test_devices_of_others(hass: HomeAssistant, start: Start, servers: Servers) -> None:
    """The hub's own is none of a server, either."""
    await start(*all_of(servers))
    for device in (device_of(hass, "hub"), "0" * 32):
        with pytest.raises(ServiceValidationError, match="First, Second, Third"):
            await add(hass, link(1), instances=[device])


async def test_names_that_differ_in_case_only(
    hass: HomeAssistant, start: Start, servers: Servers
) -> None:
    """Such as an earlier version took: the exact one counts, else the first in line."""
    first, second, third = all_of(servers)
    await start({**first, "title": "NAS"}, {**second, "title": "nas"}, third)
    for number, given in enumerate(("NAS", "nas", "Nas"), 1):
        assert where(await add(hass, link(number), instances=given)) == [
            {"NAS": "NAS", "nas": "nas", "Nas": "NAS"}[given]
        ]


async def test_a_damaged_one_is_known_and_waited_for(
    hass: HomeAssistant, start: Start, servers: Servers
) -> None:
    first, second, third = all_of(servers)
    third["data"] = {**third["data"], "priority": "first"}
    entry = await start(first, second, third)
    response = await add(hass, link(1), instances="third")
    assert [one["reason"] for one in response["queued"]] == ["no_instance"]
    subentry = entry.subentries["third"]
    good = {**subentry.data, "priority": 3}
    hass.config_entries.async_update_subentry(entry, subentry, data=good)
    await hass.async_block_till_done()
    await settled(hass)
    await eventually(lambda: servers["third"].hashes == {info_hash(1)})

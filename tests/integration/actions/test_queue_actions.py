"""The actions around the queue and their responses."""

from datetime import UTC, datetime
import json
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from tests.support.actions import add, call, call_silently, hashes, sent, stored
from tests.support.common import (
    TARGET,
    FakeClock,
    FakeVpn,
    Start,
    eventually,
    info_hash,
    instance,
    link,
    settled,
)
from tests.support.fake.server import FakeQBittorrent

V2 = "ab" * 32


def count(hass: HomeAssistant, name: str) -> str:
    state = hass.states.get(f"sensor.qbittorrent_resilient_{name}_magnets")
    assert state is not None
    return state.state


async def _with_failed(hass: HomeAssistant, server: FakeQBittorrent, *numbers: int) -> None:
    """Put magnets on the failed list."""
    server.torrents.never_listed = {info_hash(one) for one in numbers}
    await add(hass, *(link(one) for one in numbers))
    server.torrents.never_listed = set()


async def test_get_queue(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    await start(instance("first", primary))
    await _with_failed(hass, primary, 9)
    await primary.refuse()
    for number in (3, 1, 2):
        await add(hass, link(number))
    clock.tick(100)
    await call(hass, "retry_queue")
    found = await call(hass, "get_queue")
    assert set(found) == {"queued", "failed"}
    assert hashes(found["queued"]) == [info_hash(one) for one in (3, 1, 2)]
    now = datetime.now(UTC)
    for one in found["queued"]:
        assert set(one) == {
            "info_hash",
            "name",
            "reason",
            "queued_at",
            "attempts",
            "last_attempt",
        }
        assert (one["reason"], one["attempts"]) == ("unreachable", 2)
        assert abs((datetime.fromisoformat(one["queued_at"]) - now).total_seconds()) < 60
        last = datetime.fromisoformat(one["last_attempt"])
        assert 90 < (last - now).total_seconds() < 200
    (failed,) = found["failed"]
    assert set(failed) == {"info_hash", "name", "reason", "queued_at", "attempts", "failed_at"}
    assert (failed["info_hash"], failed["name"]) == (info_hash(9), "Torrent 9")
    assert failed["reason"] == "rejected"
    assert datetime.fromisoformat(failed["failed_at"]).tzinfo is not None
    json.dumps(found)
    assert (count(hass, "queued"), count(hass, "failed")) == ("3", "1")


async def test_retry_queue(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    await start(instance("first", primary))
    assert await call(hass, "retry_queue") == {"added": [], "queued": [], "failed": []}
    await primary.refuse()
    await add(hass, link(1), link(2), link(3))
    waiting = await call(hass, "retry_queue")
    assert waiting["queued"][0] == {
        "info_hash": info_hash(1),
        "name": "Torrent 1",
        "reason": "unreachable",
    }
    await primary.listen()
    primary.add(link(2))
    primary.torrents.never_listed = {info_hash(3)}
    response = await call(hass, "retry_queue")
    assert {one["info_hash"]: one["status"] for one in response["added"]} == {
        info_hash(1): "added",
        info_hash(2): "already_present",
    }
    assert response["failed"] == [
        {"info_hash": info_hash(3), "name": "Torrent 3", "reason": "rejected"}
    ]
    assert response["queued"] == []


async def test_retry_queue_without_response(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    await start(instance("first", primary))
    await primary.refuse()
    await add(hass, link(1))
    await call_silently(hass, "retry_queue")  # that it still waits is no failure
    await primary.listen()
    await call_silently(hass, "retry_queue")
    assert primary.hashes == {info_hash(1)}


@pytest.mark.parametrize(
    ("given", "removed"),
    [
        ({"info_hashes": [info_hash(0x2A)]}, [0x2A]),
        ({"info_hashes": [f" {info_hash(0x2A).upper()} "]}, [0x2A]),
        ({"info_hashes": info_hash(1)}, [1]),
        ({"info_hashes": [info_hash(3), info_hash(1)]}, [1, 3]),
        ({"info_hashes": [info_hash(77), "nonsense"]}, []),
        ({"info_hashes": [info_hash(9)]}, []),
        ({"info_hashes": []}, []),
        ({"all": True}, [0x2A, 1, 3]),
        ({"info_hashes": [info_hash(9), info_hash(1)], "list": "failed"}, [9]),
        ({"all": True, "list": "failed"}, [9, 8]),
    ],
    ids=repr,
)
async def test_remove_magnets(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    clock: FakeClock,
    hass_storage: dict[str, Any],
    given: dict[str, Any],
    removed: list[int],
) -> None:
    await start(instance("first", primary))
    await _with_failed(hass, primary, 9, 8)
    await primary.refuse()
    await add(hass, link(0x2A), link(1), link(3))
    gone = [info_hash(one) for one in removed]
    assert await call(hass, "remove_magnets", **given) == {"removed": gone}
    left = await call(hass, "get_queue")
    expected = {
        "queued": [info_hash(one) for one in (0x2A, 1, 3)],
        "failed": [info_hash(one) for one in (9, 8)],
    }
    for name, before in expected.items():
        assert hashes(left[name]) == [one for one in before if one not in gone]
        assert count(hass, name) == str(len(left[name]))
    assert not set(gone) & set(stored(hass_storage))
    await primary.listen()
    await call(hass, "check_health")
    await eventually(lambda: count(hass, "queued") == "0")
    assert primary.hashes == set(hashes(left["queued"]))


async def test_remove_by_the_v2_hash(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    await start(instance("first", primary))
    await primary.refuse()
    await add(hass, f"{link(1)}&xt=urn:btmh:1220{V2}", link(2))
    response = await call(hass, "remove_magnets", info_hashes=[V2])
    assert response == {"removed": [info_hash(1)]}


@pytest.mark.parametrize("given", [{"all": True}, {"info_hashes": [info_hash(9), info_hash(1)]}])
async def test_retry_failed(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    clock: FakeClock,
    given: dict[str, Any],
) -> None:
    await start(instance("first", primary))
    await _with_failed(hass, primary, 9)
    await primary.refuse()
    await call(hass, "check_health")
    response = await call(hass, "retry_failed", **given)
    assert response == {
        "queued": [{"info_hash": info_hash(9), "name": "Torrent 9", "reason": "unreachable"}]
    }
    assert (count(hass, "queued"), count(hass, "failed")) == ("1", "0")
    await primary.listen()
    await call(hass, "check_health")
    await eventually(lambda: primary.hashes == {info_hash(9)})
    await settled(hass)
    assert await call(hass, "get_queue") == {"queued": [], "failed": []}


async def test_retry_failed_delivers_at_once(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    await start(instance("first", primary))
    await _with_failed(hass, primary, 9)
    (one,) = (await call(hass, "retry_failed", all=True))["queued"]
    assert one["reason"] not in ("rejected", "expired")  # those are reasons of the failed list
    await eventually(lambda: primary.hashes == {info_hash(9)})


async def test_failed_magnet_given_again_starts_anew(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    await start(instance("first", primary))
    await _with_failed(hass, primary, 9)
    assert hashes((await add(hass, link(9)))["added"]) == [info_hash(9)]
    assert (await call(hass, "get_queue"))["failed"] == []


async def test_check_health(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    vpn: FakeVpn,
    clock: FakeClock,
) -> None:
    await start(
        instance("second", secondary, priority=2),
        instance("first", primary, requires_vpn=True),
        targets=(TARGET,),
    )
    health = await call(hass, "check_health")
    assert health.pop("reasons") == {}
    assert health == {"vpn": "on", "instances": {"First": "ok", "Second": "ok"}}
    assert list(health["instances"]) == ["First", "Second"]
    await secondary.refuse()
    vpn.up = False
    for _ in range(3):
        health = await call(hass, "check_health")
    assert health.pop("reasons") == {
        TARGET: "no answer",
        "First": f"the VPN is not up ({TARGET}: no answer)",
        "Second": "there is no connection to it (connection refused)",
    }
    assert health == {"vpn": "off", "instances": {"First": "vpn_down", "Second": "unreachable"}}


async def test_check_health_without_vpn_targets(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    assert await call(hass, "check_health") == {
        "vpn": None,
        "instances": {"First": "ok"},
        "reasons": {},
    }


async def test_magnet_removed_while_it_is_delivered(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    await start(instance("first", primary))
    fault = primary.faults.delay(1, "torrents/info", times=1)
    adding = hass.async_create_task(add(hass, link(1), link(2)))
    await eventually(lambda: fault.hits)
    assert await call(hass, "remove_magnets", info_hashes=[info_hash(1)]) == {
        "removed": [info_hash(1)]
    }
    response = await adding
    assert hashes(response["added"]) == [info_hash(2)]
    assert hashes(response["failed"]) == [info_hash(1)]
    assert sent(primary) == [info_hash(2)]
    assert await call(hass, "get_queue") == {"queued": [], "failed": []}


async def test_rejected_magnet_was_tried(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    await start(instance("first", primary))
    primary.torrents.never_listed = {info_hash(1)}
    await add(hass, link(1))
    ((failed,)) = (await call(hass, "get_queue"))["failed"]
    assert (failed["reason"], failed["attempts"]) == ("rejected", 1)
    assert (await call(hass, "retry_failed", all=True))["queued"][0]["reason"] == "ok"


async def test_update_entity_reads_the_books(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    assert await async_setup_component(hass, "homeassistant", {})
    for entity in ("sensor.qbittorrent_resilient_queued_magnets", "sensor.first_status"):
        target = {"entity_id": entity}
        await hass.services.async_call("homeassistant", "update_entity", target, blocking=True)
    await settled(hass)
    assert hass.states.is_state("sensor.qbittorrent_resilient_queued_magnets", "0")
    assert hass.states.is_state("sensor.first_status", "ok")

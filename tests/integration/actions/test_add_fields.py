"""The fields of `add_magnets`: how magnets are added, and to which instances."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest

from tests.support.actions import STORE, add, add_forms, call, hashes, sent
from tests.support.common import (
    TARGET,
    FakeClock,
    FakeVpn,
    Start,
    info_hash,
    instance,
    link,
    settled,
)
from tests.support.fake.dialect import Dialect
from tests.support.fake.server import FakeQBittorrent

DEFAULTS = {"category": "films", "save_path": "/films", "tags": ["a", "b c"], "stopped": "stop"}


@pytest.mark.parametrize(
    ("given", "defaults", "expected"),
    [
        ({}, {}, ("", "/downloads", (), False)),
        ({}, DEFAULTS, ("films", "/films", ("a", "b c"), True)),
        (
            {"category": "tv", "save_path": "/tv", "tags": ["x"], "stopped": False},
            DEFAULTS,
            ("tv", "/tv", ("x",), False),
        ),
        (
            {"category": "", "save_path": "", "tags": []},
            DEFAULTS,
            ("", "/downloads", (), True),
        ),
        ({"tags": "one"}, {}, ("", "/downloads", ("one",), False)),
        ({"tags": ["one", " two "]}, {}, ("", "/downloads", ("one", "two"), False)),
        ({"category": " tv/new "}, {}, ("tv/new", "/downloads", (), False)),
        ({"stopped": True}, {}, ("", "/downloads", (), True)),
    ],
)
async def test_how_magnets_are_added(
    hass: HomeAssistant,
    start: Start,
    dialect: Dialect,
    socket_enabled: None,
    given: dict[str, Any],
    defaults: dict[str, Any],
    expected: tuple[str, str, tuple[str, ...], bool],
) -> None:
    async with FakeQBittorrent(dialect) as server:
        server.torrents.auto_tmm = expected[1] != "/downloads"  # the path counts all the same
        await start(instance("only", server, defaults=defaults))
        await add(hass, link(1), **given)
        (torrent,) = server.torrents
        found = (torrent.category, torrent.save_path, torrent.tags, torrent.stopped)
        assert found == expected
        assert not torrent.auto_tmm
        if expected[0]:
            assert expected[0] in server.torrents.categories


async def test_each_instance_has_its_own_defaults(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    await start(
        instance("first", primary, defaults={"category": "one", "tags": ["t"]}),
        instance("second", secondary, priority=2, defaults={"category": "two"}),
    )
    await primary.refuse()
    response = await add(hass, link(1), tags=["mine"])
    assert response["added"][0]["instance"] == "Second"
    (torrent,) = secondary.torrents
    assert (torrent.category, torrent.tags) == ("two", ("mine",))


@pytest.mark.parametrize("most", [0, 1, 2, 5])
async def test_max_downloads(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, most: int
) -> None:
    await start(instance("first", primary))
    response = await add(hass, "nope", link(1), link(1), link(2), link(3), max_downloads=most)
    assert hashes(response["added"]) == [info_hash(one) for one in (1, 2, 3)][:most]
    assert hashes(response["skipped"]) == [info_hash(one) for one in (1, 2, 3)][most:]
    assert [one["index"] for one in response["failed"]] == [0]
    assert len(primary.torrents) == min(most, 3)


@pytest.mark.parametrize("retries", [0, 1, 4])
async def test_max_retries_on_one_instance_before_the_next(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
    retries: int,
) -> None:
    await start(instance("first", primary), instance("second", secondary, priority=2))
    primary.faults.answer(500, "no", endpoint="torrents/add")
    response = await add(hass, link(1), max_retries=retries)
    assert len(primary.requests_to("torrents/add")) == retries + 1
    assert response["added"][0]["instance"] == "Second"


async def test_a_retry_helps(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
) -> None:
    await start(instance("first", primary), instance("second", secondary, priority=2))
    primary.faults.answer(502, "bad gateway", endpoint="torrents/add", times=3)
    response = await add(hass, link(1))
    (one,) = response["added"]
    assert (one["info_hash"], one["instance"], one["status"]) == (info_hash(1), "First", "added")
    assert len(primary.requests_to("torrents/add")) == 4
    assert not secondary.adds


@pytest.mark.parametrize("verdict", ["off", "unknown"])
async def test_wait_for_vpn(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    vpn: FakeVpn,
    clock: FakeClock,
    verdict: str,
) -> None:
    vpn.up = verdict == "on"
    vpn.permitted = verdict != "unknown"
    await start(
        instance("first", primary, requires_vpn=True),
        instance("second", secondary, priority=2),
        targets=(TARGET,),
    )
    if verdict == "off":
        for _ in range(3):
            await call(hass, "check_health")
    health = (await call(hass, "check_health"))["vpn"]
    assert health == verdict
    without = await add(hass, link(1))
    assert without["added"][0]["instance"] == "Second"
    assert without["health"]["instances"] == {"First": "vpn_down", "Second": "ok"}
    assert not primary.requests
    rounds = vpn.rounds
    in_vain = await add(hass, link(2), wait_for_vpn=60)
    assert in_vain["added"][0]["instance"] == "Second"
    assert vpn.rounds - rounds > 20  # it did wait, and looked every 2 s
    vpn.up = vpn.permitted = True
    waited = await add(hass, link(3), wait_for_vpn=60)
    assert waited["added"][0]["instance"] == "First"
    assert waited["health"] == {"vpn": "on", "instances": {"First": "ok", "Second": "ok"}}


async def test_wait_for_vpn_only_where_one_requires_it(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, vpn: FakeVpn, clock: FakeClock
) -> None:
    vpn.up = False
    await start(instance("first", primary), targets=(TARGET,))
    rounds = vpn.rounds
    response = await add(hass, link(1), wait_for_vpn=600)
    assert hashes(response["added"]) == [info_hash(1)]
    assert vpn.rounds == rounds


async def test_require_vpn(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    vpn: FakeVpn,
) -> None:
    await start(
        instance("open", secondary),
        instance("safe", primary, priority=2, requires_vpn=True),
        targets=(TARGET,),
    )
    response = await add(hass, link(1), require_vpn=True)
    assert response["added"][0]["instance"] == "Safe"
    vpn.up = False
    for _ in range(3):
        await call(hass, "check_health")
    waiting = await add(hass, link(2), require_vpn=True)
    assert waiting["queued"][0]["reason"] == "vpn_down"
    assert (await add(hass, link(3)))["added"][0]["instance"] == "Open"
    assert sent(secondary) == [info_hash(3)]
    assert sent(primary) == [info_hash(1)]


async def test_require_vpn_outlives_the_call(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    vpn: FakeVpn,
) -> None:
    """It may only go to the instance behind the VPN from the queue as well."""
    vpn.up = False
    await start(
        instance("open", secondary),
        instance("safe", primary, priority=2, requires_vpn=True),
        targets=(TARGET,),
    )
    await add(hass, link(1), require_vpn=True)
    assert (await call(hass, "retry_queue"))["queued"][0]["info_hash"] == info_hash(1)
    vpn.up = True
    for _ in range(2):
        await call(hass, "check_health")
    await call(hass, "retry_queue")
    assert primary.hashes == {info_hash(1)}
    assert not secondary.adds


@pytest.mark.parametrize(
    ("fault", "reason"), [("refuse", "unreachable"), ("error", "error"), ("auth", "auth_failed")]
)
async def test_without_queue_nothing_stays(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    clock: FakeClock,
    hass_storage: dict[str, Any],
    fault: str,
    reason: str,
) -> None:
    if fault == "auth":
        await start(instance("first", primary, password="wrong"))
    else:
        await start(instance("first", primary))
    if fault == "refuse":
        await primary.refuse()
    if fault == "error":
        primary.faults.answer(500, "no", endpoint="torrents/add")
    response = await add(hass, "nope", link(1), queue=False)
    assert response["queued"] == response["added"] == []
    assert response["failed"][1] == {
        "index": 1,
        "info_hash": info_hash(1),
        "name": "Torrent 1",
        "reason": reason,
        "text": None,
    }
    assert await call(hass, "get_queue") == {"queued": [], "failed": []}
    await settled(hass)
    assert hass_storage[STORE]["data"]["magnets"] == {}


async def test_both_names_for_stopped_are_sent(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    await add(hass, link(1), stopped=True, save_path="/x")
    (form,) = add_forms(primary)
    assert (form["paused"], form["stopped"], form["autoTMM"]) == ("true", "true", "false")


@pytest.mark.few_dialects
@pytest.mark.parametrize("preference", [False, True])
@pytest.mark.parametrize(
    ("default", "given", "expected"),
    [
        ("server", {}, None),
        ("start", {}, False),
        ("stop", {}, True),
        ("server", {"stopped": False}, False),
        ("server", {"stopped": True}, True),
        ("start", {"stopped": True}, True),
        ("stop", {"stopped": False}, False),
    ],
)
async def test_started_or_stopped(
    hass: HomeAssistant,
    start: Start,
    dialect: Dialect,
    socket_enabled: None,
    preference: bool,
    default: str,
    given: dict[str, bool],
    expected: bool | None,
) -> None:
    """Where nobody says it, the server does as it is set: neither field is sent."""
    async with FakeQBittorrent(dialect) as server:
        server.torrents.adds_stopped = preference
        defaults = {"category": "", "save_path": "", "tags": [], "stopped": default}
        await start(instance("only", server, defaults=defaults))
        await add(hass, link(1), **given)
        (form,) = add_forms(server)
        (torrent,) = server.torrents
    assert torrent.stopped is (preference if expected is None else expected)
    assert ({"paused", "stopped"} & form.keys() == set()) is (expected is None)


async def test_started_or_stopped_holds_in_the_queue(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    primary.torrents.adds_stopped = True
    await primary.refuse()
    await add(hass, link(1))
    await add(hass, link(2), stopped=False)
    await hass.config_entries.async_reload("hub")
    await primary.listen()
    await call(hass, "check_health")
    await settled(hass)
    states = {one.torrent_id: one.stopped for one in primary.torrents}
    assert states == {info_hash(1): True, info_hash(2): False}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (False, False, False, "/films")),
        ({"automatic_management": True}, (True, False, False, "/downloads/films")),
        ({"automatic_management": False}, (False, False, False, "/films")),
        ({"automatic_management": False, "save_path": "/x"}, (False, False, False, "/x")),
        (
            {"automatic_management": True, "save_path": " ", "sequential": "on"},
            (True, True, False, "/downloads/films"),
        ),
        ({"sequential": True}, (False, True, False, "/films")),
        ({"first_last_piece_first": True, "sequential": False}, (False, False, True, "/films")),
    ],
)
@pytest.mark.parametrize("queued", [False, True])
async def test_management_and_order_of_pieces(
    hass: HomeAssistant,
    start: Start,
    dialect: Dialect,
    socket_enabled: None,
    given: dict[str, Any],
    expected: tuple[bool, bool, bool, str],
    queued: bool,
) -> None:
    """Where the server is to choose the path, its default gives way; from the queue, too."""
    async with FakeQBittorrent(dialect) as server:
        defaults = {"category": "films", "save_path": "/films", "tags": [], "stopped": "server"}
        await start(instance("only", server, defaults=defaults))
        if queued:
            await server.refuse()
        await add(hass, link(1), **given)
        if queued:
            await hass.config_entries.async_reload("hub")
            await server.listen()
            await call(hass, "check_health")
            await settled(hass)
        (one,) = server.torrents
        assert (one.auto_tmm, one.sequential, one.first_last_first, one.save_path) == expected


async def test_as_the_server_is_set(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    primary.torrents.auto_tmm = True
    await add(hass, link(1))
    await add(hass, link(2), automatic_management=False)
    assert [one.auto_tmm for one in primary.torrents] == [True, False]
    assert add_forms(primary)[0].keys() == {"urls"}


async def test_managed_torrents_have_no_path(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    with pytest.raises(ServiceValidationError) as raised:
        await add(hass, link(1), automatic_management=True, save_path="/x")
    assert raised.value.translation_placeholders == {
        "field": "save_path",
        "reason": "must not be given with automatic management",
    }
    assert not primary.adds
    assert await call(hass, "get_queue") == {"queued": [], "failed": []}


async def test_each_set_of_wishes_has_its_own_request(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """From the queue, too, where they meet."""
    await start(instance("first", primary))
    await primary.refuse()
    fields = ("stopped", "automatic_management", "sequential", "first_last_piece_first")
    wishes = [{}, *({field: flag} for field in fields for flag in (False, True))]
    for number, one in enumerate(wishes, 1):
        await add(hass, link(2 * number), link(2 * number + 1), **one)
    await primary.listen()
    await call(hass, "retry_queue")
    forms = add_forms(primary)
    said = {frozenset(form.items() - {("urls", form["urls"])}) for form in forms}
    assert len(forms) == len(wishes) == len(said)
    assert [form["urls"].count("magnet:") for form in forms] == [2] * len(wishes)
    assert len(primary.torrents) == 2 * len(wishes)

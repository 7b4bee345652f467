"""What is posted to the blueprint's webhook, over real HTTP: every form of it, and the answers."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import FormData
from aiohttp.test_utils import TestClient
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from tests.support.actions import add_forms
from tests.support.automations import Calls
from tests.support.blueprints import FORM, TOLD, URL, WEBHOOK, run, texts
from tests.support.common import FakeClock, Start, eventually, info_hash, instance, link, settled
from tests.support.delivered import delivered, torrent
from tests.support.fake.server import FakeQBittorrent
from tests.support.torrents import MadeTorrent, torrent as made_torrent

TRACKERS = ["http://t.example/a?key=1&x=2", "udp://t.example:6969"]
MAGNET = (
    f"magnet:?xt=urn:btih:{1:040x}&dn=Big%20%22Buck%22%20%26%20Bunny's%20%5B1080p%5D"
    + "".join(f"&tr={quote(one, safe='')}" for one in TRACKERS)
)
SECOND = link(2, extra="&tr=udp%3A%2F%2Ft.example%3A1")
BASE32 = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"
TEXT = {"Content-Type": "text/plain"}


def multipart(*parts: tuple[str, Any, dict[str, Any]]) -> FormData:
    form = FormData(default_to_multipart=True)
    for name, value, more in parts:
        form.add_field(name, value, **more)
    return form


POSTS: dict[str, Callable[[], dict[str, Any]]] = {
    "list": lambda: {"json": [MAGNET]},
    "text in JSON": lambda: {"json": MAGNET},
    "magnets": lambda: {"json": {"magnets": [MAGNET]}},
    "magnet": lambda: {"json": {"magnet": MAGNET}},
    "url": lambda: {"json": {"url": MAGNET}},
    "link": lambda: {"json": {"link": MAGNET, "title": "Another title"}},
    "nested": lambda: {"json": {"event": {"items": [{"no": 1, "uri": MAGNET, "x": None}]}}},
    "by hash": lambda: {"json": {"infoHash": info_hash(1).upper(), "magnet": MAGNET}},
    "upper case": lambda: {"json": {"m": "MAGNET:?" + MAGNET.removeprefix("magnet:?")}},
    "entities": lambda: {"json": {"m": MAGNET.replace("&", "&amp;")}},
    "wholly encoded": lambda: {"json": {"m": quote(MAGNET, safe="")}},
    "JSON without its type": lambda: {"data": json.dumps({"m": MAGNET}), "headers": TEXT},
    "JSON as a form": lambda: {"data": json.dumps({"m": MAGNET}), "headers": FORM},
    "JSON with no type": lambda: {
        "data": json.dumps([MAGNET]).encode(),
        "skip_auto_headers": ["Content-Type"],
    },
    "JSON in a form": lambda: {"data": {"payload": json.dumps({"text": MAGNET})}},
    "broken JSON": lambda: {
        "data": f'{{"magnets": ["{MAGNET}"',
        "headers": {"Content-Type": "application/json"},
    },
    "form": lambda: {"data": {"whatever": MAGNET}},
    "form with more": lambda: {"data": {"a": "b", "text": f"Look: {MAGNET}", "z": ""}},
    "form, not encoded": lambda: {"data": f"magnets={MAGNET}", "headers": FORM},
    "bare, as a form": lambda: {"data": MAGNET, "headers": FORM},
    "bare and encoded, as a form": lambda: {"data": quote(MAGNET, safe=""), "headers": FORM},
    "bare": lambda: {"data": MAGNET, "headers": TEXT},
    "bare, as bytes": lambda: {"data": b"\xef\xbb\xbf" + MAGNET.encode() + b"\r\n"},
    "bare, in UTF-16": lambda: {
        "data": MAGNET.encode("utf-16"),
        "headers": {"Content-Type": "text/plain; charset=utf-16"},
    },
    "HTML": lambda: {
        "data": f'<p>See <a href="{MAGNET.replace("&", "&amp;")}">this</a></p>',
        "headers": {"Content-Type": "text/html"},
    },
    "multipart": lambda: {"data": multipart(("magnets", MAGNET, {}), ("more", "x", {}))},
    "file of links": lambda: {
        "data": multipart(("f", MAGNET.encode() + b"\n", {"filename": "links.txt"}))
    },
    "JSON in a part": lambda: {
        "data": multipart(
            ("payload_json", json.dumps({"m": MAGNET}), {"content_type": "application/json"})
        )
    },
    "beside what is no text": lambda: {
        "data": multipart(
            ("image", b"\x89PNG\xff\xfe\n", {"filename": "x.png"}), ("caption", MAGNET, {})
        )
    },
}

type Door = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]


@pytest.fixture
async def post(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    hass_client_no_auth: ClientSessionGenerator,
) -> Door:
    """Return a function that posts to the blueprint, and gives the answer."""
    await start(instance("first", primary))
    assert await async_setup_component(hass, "persistent_notification", {})
    calls = await run(hass, tmp_path, "add_from_webhook", **WEBHOOK)
    client: TestClient[Any, Any] = await hass_client_no_auth()

    async def send(query: str = "", **body: Any) -> tuple[int, dict[str, Any]]:
        answer = await client.post(URL + query, **body)
        return answer.status, await answer.json()

    send.calls = calls  # type: ignore[attr-defined]
    return send


@pytest.mark.parametrize("form", POSTS)
async def test_every_form(post: Door, primary: FakeQBittorrent, form: str) -> None:
    """The link arrives whole, and nothing else."""
    status, answer = await post(**POSTS[form]())
    failed = 1 if form == "beside what is no text" else 0
    assert (status, answer) == (200, {"added": 1, "queued": 0, "failed": failed, "skipped": 0})
    assert delivered(primary) == {torrent(MAGNET)}


@pytest.mark.parametrize(
    "query", [f"?magnet={quote(MAGNET, safe='')}", f"?url={MAGNET}", f"?{urlencode({'u': MAGNET})}"]
)
async def test_query(post: Door, primary: FakeQBittorrent, query: str) -> None:
    assert (await post(query))[0] == HTTPStatus.OK
    assert delivered(primary) == {torrent(MAGNET)}


@pytest.mark.parametrize(
    "body",
    [
        {"json": [MAGNET, None, 5, "", "x", {"y": [SECOND]}]},
        {"json": {"magnets": f"{MAGNET}\n{SECOND}"}},
        {"data": [("magnets", MAGNET), ("magnets", SECOND)]},
        {"data": f"{MAGNET}\n{SECOND}", "headers": FORM},
        {"data": f"a={MAGNET}&b={SECOND}", "headers": FORM},
        {"data": f"a={quote(SECOND, safe='')}&b={MAGNET}", "headers": FORM},
        {"data": f"- {MAGNET}\r\n- {SECOND}\r\n", "headers": TEXT},
        {"json": [MAGNET, SECOND, SECOND, MAGNET.upper().partition("&")[0]]},
    ],
)
async def test_several(post: Door, primary: FakeQBittorrent, body: dict[str, Any]) -> None:
    status, answer = await post(**body)
    assert (status, answer["added"], answer["failed"]) == (200, 2, 0)
    assert delivered(primary) == {torrent(MAGNET), torrent(SECOND)}


@pytest.mark.parametrize(
    "body",
    [
        lambda made: {"data": made.data, "headers": {"Content-Type": "application/x-bittorrent"}},
        lambda made: {"data": multipart(("f", made.data, {"filename": "a.torrent"}))},
        lambda made: {"data": made.data},
    ],
)
async def test_torrent_file(
    post: Door, primary: FakeQBittorrent, body: Callable[[MadeTorrent], dict[str, Any]]
) -> None:
    """It is delivered as a file, whatever the option that fetches web links says."""
    made = made_torrent(1, tracker="http://t.example")
    status, answer = await post(**body(made))
    assert (status, answer) == (200, {"added": 1, "queued": 0, "failed": 0, "skipped": 0})
    (received,) = primary.requests_to("torrents/add")
    assert [*received.files.values()] == [made.data]


async def test_torrent_files_beside_magnets(post: Door, primary: FakeQBittorrent) -> None:
    files = [("f", made_torrent(number).data, {"filename": "a.torrent"}) for number in (1, 2)]
    bad = ("g", b"<html>", {"filename": "page.torrent"})
    again = ("h", made_torrent(1).magnet, {})
    status, answer = await post(data=multipart(*files, bad, again, ("m", MAGNET, {})))
    assert (status, answer) == (200, {"added": 3, "queued": 0, "failed": 1, "skipped": 0})
    assert primary.hashes == {
        made_torrent(1).info_hash,
        made_torrent(2).info_hash,
        info_hash(1),
    }


@pytest.mark.parametrize("data", [b"<html>", b"d4:infodee", bytes(11 << 20)])
async def test_what_is_said_to_be_a_torrent_file(
    post: Door, primary: FakeQBittorrent, data: bytes
) -> None:
    status, answer = await post(data=data, headers={"Content-Type": "application/x-bittorrent"})
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "No valid magnet link" in answer["error"]
    assert primary.hashes == set()


@pytest.mark.parametrize(
    "hashed",
    [
        {"info_hash": info_hash(1), "title": "A & B"},
        {"torrents": [{"hash": {"btih": BASE32}}], "title": "A & B"},
        {"title": "A & B", "attributes": [{"name": "infohash", "value": info_hash(1)}]},
        {"title": "A & B", "guid": f"urn:btih:{info_hash(1)}"},
    ],
)
async def test_only_a_hash(post: Door, primary: FakeQBittorrent, hashed: dict[str, Any]) -> None:
    assert (await post(json=hashed))[0] == HTTPStatus.OK
    assert delivered(primary) == {(info_hash(1), "A & B", ())}


@pytest.mark.parametrize(
    "body",
    [
        {"json": {}},
        {"json": ["magnet:?xt=urn:btih:1", "nothing"]},
        {"data": b"\xff\xfe\x00d8:announce"},
        {"data": "http://x.example/a.torrent"},
        {"data": "", "headers": TEXT},
        {"json": "x" * 300_000},
        {"data": b"[" * 100_000},
        {"data": b"--x\r\n\r\nnothing", "headers": {"Content-Type": "multipart/form-data"}},
        {"data": b"a", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"data": "a", "headers": {"Content-Type": "text/plain; charset=nonsense"}},
    ],
)
async def test_nothing_that_can_be_taken(
    post: Door, primary: FakeQBittorrent, body: dict[str, Any]
) -> None:
    """An error; the phones and further actions are told, too."""
    status, answer = await post(**body)
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "No valid magnet link" in answer["error"]
    assert primary.hashes == set()
    calls: Calls = post.calls  # type: ignore[attr-defined]
    await eventually(lambda: calls)
    assert texts(calls)[0].startswith("No magnet was taken")


async def test_one_that_is_too_large(post: Door) -> None:
    status, answer = await post(data=b"x" * (16 * 1024**2 + 1))
    assert (status, answer) == (413, {"error": "larger than 16 MB"})


@pytest.mark.parametrize(
    "body",
    [
        {"data": b"[" + b"1," * 500_001 + b"1]"},
        {"data": b"a=b&" * 200_001, "headers": FORM},
        {"data": b"magnet\n" * 500_001, "headers": TEXT},
        {"data": b"magnet:?" * 800_001, "headers": TEXT},
        {
            "data": b"--x\r\n\r\na\r\n" * 10_001,
            "headers": {"Content-Type": "multipart/form-data; boundary=x"},
        },
    ],
)
async def test_too_many_of_anything(
    post: Door, primary: FakeQBittorrent, body: dict[str, Any]
) -> None:
    """It is said, rather than worked at for minutes."""
    status, answer = await post(**body)
    assert status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert answer["error"].startswith("more than ")
    assert (await post(json=[MAGNET]))[0] == HTTPStatus.OK


async def test_queue_that_cannot_be_written(
    post: Door, primary: FakeQBittorrent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Try again, says the answer: nothing was taken."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    status, answer = await post(json=[MAGNET])
    assert status == HTTPStatus.SERVICE_UNAVAILABLE
    assert MAGNET not in str(answer)
    assert primary.hashes == set()


async def test_queued_is_taken(post: Door, primary: FakeQBittorrent) -> None:
    await primary.refuse()
    assert await post(json=[MAGNET]) == (200, {"added": 0, "queued": 1, "failed": 0, "skipped": 0})


async def test_answer_does_not_wait_for_further_actions(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    await start(instance("first", primary))
    slow = [{"delay": {"hours": 1}}, TOLD]
    calls = await run(hass, tmp_path, "add_from_webhook", **WEBHOOK, actions=slow)
    client = await hass_client_no_auth()
    assert (await client.post(URL, json=[MAGNET])).status == HTTPStatus.OK
    assert (await client.post(URL, json=["nothing"])).status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert not calls


async def test_automation_that_adds_nothing(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """It is not answered as if all were well."""
    trigger = {"trigger": "qbittorrent_resilient.magnets_posted", "options": WEBHOOK}
    config = {"triggers": [trigger], "actions": []}
    assert await async_setup_component(hass, "qbittorrent_resilient", {})
    assert await async_setup_component(hass, "automation", {"automation": [config]})
    client = await hass_client_no_auth()
    answer = await client.post(URL, json=[MAGNET])
    assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE


async def test_own_automations(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """Two with the same webhook, of which one adds and asks for no response; one goes away."""
    await start(instance("first", primary))
    trigger = {"trigger": "qbittorrent_resilient.magnets_posted", "options": WEBHOOK}
    add = {
        "action": "qbittorrent_resilient.add_magnets",
        "data": {"magnets": "{{ trigger.magnets }}"},
    }
    configs = [
        {"alias": "Adds", "triggers": [trigger], "actions": [add]},
        {"alias": "Does not", "triggers": [trigger], "actions": []},
    ]
    assert await async_setup_component(hass, "automation", {"automation": configs})
    client = await hass_client_no_auth()
    answer = await client.post(URL, json=[MAGNET])
    assert (answer.status, await answer.json()) == (200, {})
    assert delivered(primary) == {torrent(MAGNET)}
    data = {"entity_id": "automation.adds"}
    await hass.services.async_call("automation", "turn_off", data, blocking=True)
    answer = await client.post(URL, json=[SECOND])
    assert answer.status == HTTPStatus.INTERNAL_SERVER_ERROR
    assert primary.hashes == {info_hash(1)}


async def test_by_the_cloud(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """What Home Assistant's cloud brings is no request of aiohttp's."""
    await start(instance("first", primary))
    await run(hass, tmp_path, "add_from_webhook", **WEBHOOK)
    client = await hass_ws_client(hass)
    command = {
        "type": "webhook/handle",
        "webhook_id": WEBHOOK["webhook_id"],
        "method": "POST",
        "body": json.dumps({"m": MAGNET}),
        "headers": {"Content-Type": "application/json"},
        "query": f"x={SECOND}",
    }
    await client.send_json_auto_id(command)
    answer = await client.receive_json()
    assert answer["result"]["status"] == HTTPStatus.OK
    assert json.loads(answer["result"]["body"])["added"] == 2
    assert delivered(primary) == {torrent(MAGNET), torrent(SECOND)}


async def test_category(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    await start(instance("first", primary))
    await run(hass, tmp_path, "add_from_webhook", **WEBHOOK, category="linux")
    client = await hass_client_no_auth()
    await client.post(URL, json=[MAGNET])
    await settled(hass)
    assert [one["category"] for one in add_forms(primary)] == ["linux"]


@pytest.mark.parametrize(("wanted", "failed"), [(False, 0), (True, 1)])
async def test_web_links(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    tmp_path: Path,
    hass_client_no_auth: ClientSessionGenerator,
    wanted: bool,
    failed: int,
) -> None:
    """They are handed over if the user says so, and else left out; the option is off here."""
    await start(instance("first", primary))
    await run(hass, tmp_path, "add_from_webhook", **WEBHOOK, web_links=wanted)
    client = await hass_client_no_auth()
    answer = await client.post(URL, json=[MAGNET, "http://x.example/a.torrent"])
    told = await answer.json()
    assert (told["added"], told["failed"]) == (1, failed)
    assert delivered(primary) == {torrent(MAGNET)}


async def test_what_the_server_refuses(
    clock: FakeClock, post: Door, primary: FakeQBittorrent
) -> None:
    """It is on the failed list, and no success; beside another one it is."""
    primary.torrents.never_listed = {info_hash(1)}
    status, answer = await post(json=[MAGNET])
    assert (status, answer["failed"]) == (HTTPStatus.UNPROCESSABLE_ENTITY, 1)
    status, answer = await post(json=[MAGNET, SECOND])
    assert (status, answer["added"], answer["failed"]) == (HTTPStatus.OK, 1, 1)

"""Hostile input through the action: refused or whitelisted, and nothing else reaches a socket."""

import threading
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.qbittorrent_resilient import add_magnets, responses
from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.core import intake
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.outbox.job import Stage
from custom_components.qbittorrent_resilient.core.qbittorrent import client
from tests.support.actions import Response, add, call, hashes, work
from tests.support.common import FakeClock, Start, info_hash, instance, link
from tests.support.fake.record import Received
from tests.support.fake.server import FakeQBittorrent
from tests.support.made_up import WHITELISTED, links, near_links

ENDPOINTS = {
    *("app/version", "app/processInfo", "auth/login"),
    *("transfer/info", "log/main", "torrents/add", "torrents/info"),
}


def given_to(requests: list[Received]) -> list[str]:
    """Look at each byte that came in; return the links."""
    found: list[str] = []
    for one in requests:
        assert one.endpoint in ENDPOINTS
        assert not {"referer", "origin"} & {name.lower() for name in one.headers}
        assert all(text.isprintable() and text.isascii() for text in one.headers.values())
        assert all(33 <= byte <= 126 for byte in one.body)
        if one.endpoint == "torrents/info":
            asked = dict(parse_qsl(one.body.decode())).get("hashes", "")
            assert set(asked) <= set("0123456789abcdef|")
        elif one.endpoint == "torrents/add":
            form = dict(parse_qsl(one.body.decode(), keep_blank_values=True))
            assert form.keys() == {"urls"}
            found += form["urls"].split("\n")
    for text in found:
        assert WHITELISTED.fullmatch(text)
        assert Magnet.read_back(text).link == text
    return found


def forget(hass: HomeAssistant, server: FakeQBittorrent) -> None:
    """Forget what came before: links may lie about which hashes belong together."""
    server.record.clear()
    server.torrents.keep_only([])
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    queue = entry.runtime_data.dispatcher._outbox
    for stage in Stage:
        for one in queue.at(stage):
            queue.drop(one.info_hash)


@given(
    texts=st.lists(near_links() | links().map(lambda one: one[0]), max_size=8),
    as_text=st.booleans(),
)
@settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
async def test_only_magnets_reach_a_socket(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    texts: list[str],
    *,
    as_text: bool,
) -> None:
    """Whatever is given, as a list or as one text."""
    if not hass.config_entries.async_entries(DOMAIN):
        await start(instance("first", primary))
    forget(hass, primary)
    data: str | list[str] = "\n".join(texts) if as_text else texts
    sorted_texts = intake.take_in(data)
    magnets = {one.info_hash for one in sorted_texts.magnets}
    if not magnets:
        with pytest.raises(ServiceValidationError):
            await call(hass, "add_magnets", magnets=data)
        assert not primary.requests_to("torrents/add")
        return
    response = await call(hass, "add_magnets", magnets=data)
    assert not response["queued"]
    assert set(hashes(response["added"])) <= magnets
    assert {Magnet.read_back(one).info_hash for one in given_to(primary.requests)} <= magnets
    bad = [one.index for one in (*sorted_texts.invalid, *sorted_texts.web_links)]
    assert [one["index"] for one in response["failed"]] == sorted(bad)


@pytest.mark.parametrize(
    "magnets",
    [
        None,
        5,
        1.5,
        True,
        {},
        {link(1): link(2)},
        link(1).encode(),
        [link(1).encode()],
        [None],
        [float("nan")],
        [[link(1)]],
        [{"link": link(1)}],
        [link(1).encode(), None],
        [object()],
        iter([link(1)]),
    ],
    ids=lambda one: type(one).__name__,
)
async def test_no_text_and_no_list_of_texts(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, magnets: Any
) -> None:
    await start(instance("first", primary))
    with pytest.raises(ServiceValidationError):
        await call(hass, "add_magnets", magnets=magnets)
    assert not primary.adds
    assert await call(hass, "get_queue") == {"queued": [], "failed": []}


@pytest.mark.parametrize("magnets", ["", " \n\t", [], ["", " "], "None", "[]", "unknown"])
async def test_what_a_template_may_leave(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, magnets: Any
) -> None:
    """Nothing, or the words for it."""
    await start(instance("first", primary))
    with pytest.raises(ServiceValidationError):
        await call(hass, "add_magnets", magnets=magnets)
    assert not primary.adds


async def test_a_list_that_a_template_printed(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """Its brackets and quotes are no part of the links between them."""
    await start(instance("first", primary))
    await call(hass, "add_magnets", magnets=str([link(1), link(2, name="Tom's")]))
    assert primary.adds == [[link(1), link(2, name="Tom's")]]


_NO_TEXTS: tuple[Any, ...] = (["a"], {"a": 1}, None)
_FLAGS = ("stopped", "automatic_management", "sequential", "first_last_piece_first")
_FLAGS += ("queue", "require_vpn")
FIELDS: list[dict[str, Any]] = [
    *(
        {field: f"a{char}b"}
        for field in ("category", "save_path", "tags")
        for char in ("\r\n", "\n", "\r", "\0", "\x1b", "\x7f", "\x85", "\u2028", "\ud800", "\t")
    ),
    *({"category": name} for name in ("/a", "a/", "a//b", "a\\b", *_NO_TEXTS)),
    *({"tags": [tag]} for tag in ("a,b", "", " ", *_NO_TEXTS)),
    {"tags": "a,b"},
    {"tags": ["a", "b,c"]},
    *({"save_path": path} for path in _NO_TEXTS),
    *({"max_retries": one} for one in (-1, 11, "many", None, 1e999, -1e999, float("nan"), 10**400)),
    *({"wait_for_vpn": one} for one in (-1, 601, "long", None, 1e999, float("nan"), "9" * 5000)),
    *({"max_downloads": one} for one in (-1, "x", None, 1e999, float("nan"))),
    *({field: "perhaps"} for field in _FLAGS),
    *({field: None} for field in _FLAGS),
    {"urls": "http://192.0.2.1/a.torrent"},
    {link(2): "x"},
    {"a\r\nb": 1},
]


async def test_hostile_fields(hass: HomeAssistant, start: Start, primary: FakeQBittorrent) -> None:
    """They are refused in the user's words before a magnet is taken, and quoted nowhere."""
    await start(instance("first", primary))
    for fields in FIELDS:
        with pytest.raises(ServiceValidationError) as caught:
            await call(hass, "add_magnets", magnets=link(1), **fields)
        assert caught.value.translation_key == "malformed_field", fields
        placeholders = caught.value.translation_placeholders
        assert placeholders is not None
        assert all(one.isprintable() and len(one) < 80 for one in placeholders.values())
        assert info_hash(2) not in str(placeholders)
    assert not primary.adds
    assert await call(hass, "get_queue") == {"queued": [], "failed": []}


async def test_odd_but_right_fields_arrive_as_they_are(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """What a form would take apart arrives in one piece."""
    await start(instance("first", primary))
    odd = "a&urls=http:192.0.2.1%0A+;=é\u202e\u200b"
    await call(
        hass, "add_magnets", magnets=link(1), category=odd, save_path=f"/{odd}", tags=[odd, "x"]
    )
    (form,) = [one.form for one in primary.requests_to("torrents/add")]
    assert form["urls"] == link(1)
    assert (form["category"], form["savepath"], form["tags"]) == (odd, f"/{odd}", f"{odd},x")


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param([link(2) + "x" * 2**20], id="a-megabyte"),
        pytest.param(["x" * 2**20] * 20, id="megabytes-of-garbage"),
        pytest.param(["x" * 10 * 2**20], id="ten-megabytes"),
        pytest.param([f"magnet:?{'&' * 2**16}"[: 2**16]], id="ampersands"),
        pytest.param([f"magnet:?{'&amp;' * 2**13}"], id="html"),
        pytest.param([f"magnet:?{'&xt=urn:btih:' * 5000}"], id="topics"),
        pytest.param([f"magnet:?xt={'%41' * 20_000}"], id="escapes"),
        pytest.param(["bogus"] * 100_000, id="100,000-words"),
        pytest.param(["a" * 40] * 1000, id="bare-hashes"),
    ],
)
async def test_much_of_it(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, hostile: list[str]
) -> None:
    """The one magnet among them is added, each of the rest has its place in the answer."""
    await start(instance("first", primary))
    response = await add(hass, *hostile, link(1))
    assert hashes(response["added"]) == [info_hash(1)]
    assert [one["index"] for one in response["failed"]] == [*range(len(hostile))]
    assert given_to(primary.requests) == [link(1)]


@pytest.mark.parametrize(
    "given",
    ["a\n" * 5_000_000, "magnet:?" * 200_001, ["a"] * 200_001],
    ids=["lines", "links", "list"],
)
async def test_too_much_of_it(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, given: str | list[str]
) -> None:
    """A page that was taken for links would fill the memory with answers."""
    await start(instance("first", primary))
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, "add_magnets", magnets=given)
    assert caught.value.translation_placeholders == {
        "field": "magnets",
        "reason": f"more than {intake.MOST_TEXTS} at once",
    }


async def test_others_have_their_turn_meanwhile(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """What was given is looked at, and the answer put together, outside the event loop."""
    await start(instance("first", primary))
    threads = []

    def note(function: Any) -> Any:
        def noted(*args: Any, **kwargs: Any) -> Any:
            threads.append(threading.current_thread())
            return function(*args, **kwargs)

        return noted

    with (
        patch.object(add_magnets, "take_in", note(intake.take_in)),
        patch.object(responses, "of_add", note(responses.of_add)),
        patch.object(responses, "of_queue", note(responses.of_queue)),
    ):
        await add(hass, *map(link, range(1, 1000)), "bogus")
        await call(hass, "get_queue")
    assert len(threads) == 3
    assert threading.main_thread() not in threads


@pytest.mark.parametrize("action", ["remove_magnets", "retry_failed"])
async def test_hostile_hashes(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, action: str
) -> None:
    """They choose nothing, or are refused; nothing else comes out."""
    await start(instance("first", primary))
    await primary.refuse()
    await add(hass, link(1))
    odd: list[Any] = ["", "all", "*", ["\0", "\ud800"], ["x" * 2**20], [None], {"a": 1}, [[]]]
    for given_hashes in odd:
        try:
            response: Response = await call(hass, action, info_hashes=given_hashes)
        except HomeAssistantError:
            continue
        assert list(response.values()) == [[]]
    assert hashes((await call(hass, "get_queue"))["queued"]) == [info_hash(1)]


@pytest.mark.parametrize("seconds", [1e300, -1e300, 10**400, float("inf"), float("nan")])
def test_times_that_no_calendar_has(seconds: float) -> None:
    """They are shown as none, in the place of an error for all of the queue."""
    assert responses.iso(seconds) is None
    assert responses.iso(0) == "1970-01-01T00:00:00+00:00"


async def test_names_of_commas_block_no_server(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> None:
    """What is counted to bound the parsing of a list is not what stands within its texts."""
    entry = await start(instance("first", primary))
    for number in range(1, 11):
        response = await add(hass, link(number, name="," * 65_000))
        assert response["added"]
        clock.tick(100)
        await work(entry)
    response = await add(hass, link(50), *(link(n, name="," * 65_000) for n in range(51, 61)))
    assert len(response["added"]) == 11


async def test_list_that_is_too_long_is_asked_for_in_parts(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "LIST_ANSWER", 400_000)
    await start(instance("first", primary))
    primary.add(*(link(number, name="x" * 30_000) for number in range(1, 31)))
    assert (await add(hass, link(50)))["added"]

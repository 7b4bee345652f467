"""What is wrong or hostile: in what users give and in what servers answer."""

from functools import partial
import re
from typing import Any
from urllib.parse import parse_qsl

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest

from custom_components.qbittorrent_resilient.core.qbittorrent.login_guard import FUTILE_SECONDS
from tests.support.actions import add, call, hashes, sent, status_of
from tests.support.common import FakeClock, Start, eventually, info_hash, instance, link, settled
from tests.support.fake.dialect import Dialect
from tests.support.fake.server import FakeQBittorrent

HASH = "c" * 40
BAD = {
    "word": "bogus",
    "web address": "http://example.org/a.torrent",
    "https": "https://example.org/magnet:?xt=urn:btih:" + HASH,
    "ftp": "ftp://example.org/a.torrent",
    "file address": "file:///etc/passwd",
    "file path": "/etc/passwd",
    "windows path": "C:\\Users\\a.torrent",
    "data": "data:application/x-bittorrent;base64,ZDg6",
    "qt resource": "qrc:/icons/x.torrent",
    "bare hash": HASH,
    "bare base32": "B" * 32,
    "bare v2": "d" * 64,
    "no magnet": f"file:///xt=urn:btih:{HASH}",
    "no query": "magnet:",
    "empty query": "magnet:?",
    "slashes": f"magnet:////?xt=urn:btih:{HASH}",
    "no question mark": f"magnet:xt=urn:btih:{HASH}",
    "no topic": "magnet:?dn=Name",
    "39 digits": f"magnet:?xt=urn:btih:{HASH[:39]}",
    "41 digits": f"magnet:?xt=urn:btih:{HASH}c",
    "no hex": f"magnet:?xt=urn:btih:{'g' * 40}",
    "31 base32": f"magnet:?xt=urn:btih:{'B' * 31}",
    "no base32": f"magnet:?xt=urn:btih:{'1' * 32}",
    "zeros": f"magnet:?xt=urn:btih:{'0' * 40}",
    "base32 zeros": f"magnet:?xt=urn:btih:{'A' * 32}",
    "short v2": f"magnet:?xt=urn:btmh:1220{'a' * 63}",
    "v2 of another kind": f"magnet:?xt=urn:btmh:1114{'a' * 64}",
    "other network": f"magnet:?xt=urn:ed2k:{'a' * 32}",
    "two torrents": f"magnet:?xt=urn:btih:{HASH}&xt=urn:btih:{'d' * 40}",
    "two links": f"magnet:?xt=urn:btih:{HASH} magnet:?xt=urn:btih:{'d' * 40}",
    "line end": f"magnet:?xt=urn:btih:{HASH}\nhttp://example.org/",
    "closing line end": f"magnet:?xt=urn:btih:{HASH}\n",
    "carriage return": f"magnet:?xt=urn:btih:{HASH}\rfile:///etc/passwd",
    "NUL": f"magnet:?xt=urn:btih:{HASH}\0",
    "tab inside": f"magnet:?xt=urn:btih:{HASH}&dn=a\tb",
    "escape": f"magnet:?xt=urn:btih:{HASH}&dn=\x1b[31m",
    "C1 control": f"magnet:?xt=urn:btih:{HASH}&dn=\x85",
    "line separator": f"magnet:?xt=urn:btih:{HASH}&dn=a\u2028b",
    "lone surrogate": f"magnet:?xt=urn:btih:{HASH}&dn=\ud800",
    "fullwidth colon": f"magnet\uff1a?xt=urn:btih:{HASH}",
    "fullwidth letter": f"\uff4dagnet:?xt=urn:btih:{HASH}",
    "fullwidth digits": f"magnet:?xt=urn:btih:{'\uff11' * 40}",
    "zero width in the hash": f"magnet:?xt=urn:btih:{HASH[:20]}\u200b{HASH[20:]}",
    "encoded line end": f"magnet%3A%3Fxt%3Durn%3Abtih%3A{HASH}%0Afile:///etc/passwd",
    "line end in JSON": f"magnet:?xt=urn:btih:{HASH}&dn=\\u000afile:///etc/passwd",
    "hidden second link": f"magnet:?xt=urn:btih:{HASH}&dn=&#109;agnet:?xt=urn:btih:{'d' * 40}",
    "too long": f"magnet:?xt=urn:btih:{HASH}&dn={'x' * 65536}",
    "a megabyte": f"magnet:?xt=urn:btih:{HASH}&tr={'y' * 2**20}",
}
WEB = {"web address", "https"}
ODD_BUT_RIGHT = [
    f"MAGNET:?xt=urn:btih:{info_hash(1)}",
    f"magnet:?XT=URN:BTIH:{info_hash(2)}",
    f"magnet:?dn=x&amp;xt.1=urn%3Abtih%3A{info_hash(3)}",
    f"magnet:?xt=urn:btih:{info_hash(4)}&dn=Grüße aus 日本&tr=http://t.example/a b",
    f"magnet:?xt=urn:btih:{info_hash(5)}&dn=%0Ahttp%3A%2F%2Fexample.org%2F&dn=../../x",
    f"magnet:?xt=urn:btih:{info_hash(6)}&xs=http://example.org/x&as=file:///etc/passwd&=&&x",
    f"magnet:?xt=urn:btih:{info_hash(7)}&tr=%zz&tr=",
    f"magnet:///?xt=urn:btih:{info_hash(8)}",
    f"magnet%3A%3Fxt%3Durn%3Abtih%3A{info_hash(9)}%26dn%3Da%2520b",
    f"magnet:?xt=urn:btih:{info_hash(10)}&#38;dn=Tom&amp;Jerry\\u0026tr=http:\\/\\/t.example\\/a",
    f"\ufeffmagnet:?xt=urn:btih:{info_hash(11)}\u200b",
    f"\u202amagnet:?xt=urn:btih:{info_hash(12)}\u202c",
    f"<magnet:?xt=urn:btih:{info_hash(13)}>",
    f'<a href="magnet:?xt=urn:btih:{info_hash(14)}&dn=&quot;&#10;&lt;">x</a>',
]
WHITELISTED = re.compile(r"magnet:\?xt=urn:bt(ih:[0-9a-f]{40}|mh:1220[0-9a-f]{64})(&[!-~]*)?")


def assert_whitelisted(server: FakeQBittorrent) -> None:
    """Look at the very bytes that the server received."""
    bodies = [one.body for one in server.requests_to("torrents/add")]
    assert bodies
    for body in bodies:
        assert re.fullmatch(rb"[!-~]+", body)
        (urls,) = [value for name, value in parse_qsl(body.decode()) if name == "urls"]
        assert urls.isascii()
        for line in urls.split("\n"):
            assert WHITELISTED.fullmatch(line), line[:100]


async def test_malformed_magnet_beside_good_ones(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    for number, (name, bad) in enumerate(BAD.items(), 100):
        response = await add(hass, link(number), bad, link(number + 1000))
        (failed,) = response["failed"]
        assert len(failed.pop("text")) <= 80
        assert failed == {
            "index": 1,
            "info_hash": None,
            "name": None,
            "reason": "web_link" if name in WEB else "invalid_magnet",
        }, name
        expected = [info_hash(number), info_hash(number + 1000)]
        assert hashes(response["added"]) == expected, name
        assert sent(primary)[-2:] == expected, name
    assert len(sent(primary)) == 2 * len(BAD)
    assert_whitelisted(primary)


async def test_all_malformed_at_once(
    hass: HomeAssistant, start: Start, dialect: Dialect, socket_enabled: None
) -> None:
    async with FakeQBittorrent(dialect) as server:
        await start(instance("only", server))
        given = [one for bad in BAD.values() for one in (bad, link(1))]
        response = await call(hass, "add_magnets", magnets=given)
        assert [one["index"] for one in response["failed"]] == [*range(0, 2 * len(BAD), 2)]
        assert server.hashes == {info_hash(1)}
        assert_whitelisted(server)


async def test_only_malformed_ones(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    await start(instance("first", primary))
    with pytest.raises(ServiceValidationError) as caught:
        await add(hass, *BAD.values())
    assert "bogus" not in str(caught.value)
    assert not primary.adds


async def test_odd_but_right_ones_are_whitelisted_first(
    hass: HomeAssistant, start: Start, dialect: Dialect, socket_enabled: None
) -> None:
    async with FakeQBittorrent(dialect) as server:
        await start(instance("only", server))
        response = await add(hass, *ODD_BUT_RIGHT)
        expected = [info_hash(one) for one in range(1, 15)]
        assert hashes(response["added"]) == expected
        assert server.hashes == set(expected)
        assert_whitelisted(server)
        assert response["added"][4]["name"] == "http://example.org/"


async def test_unknown_category_is_created(
    hass: HomeAssistant, start: Start, dialect: Dialect, socket_enabled: None
) -> None:
    async with FakeQBittorrent(dialect) as server:
        await start(instance("only", server))
        await add(hass, link(1), category="brand new")
        assert "brand new" in server.torrents.categories
        (torrent,) = server.torrents
        assert torrent.category == "brand new"


ANSWERS: dict[str, dict[str, Any]] = {
    "page": {"status": 200, "body": "<html>Sign in</html>", "content_type": "text/html"},
    "empty": {"status": 200, "body": ""},
    "wrong JSON": {"status": 200, "body": '{"a": 1}', "content_type": "application/json"},
    "list of lists": {"status": 200, "body": "[[1]]", "content_type": "application/json"},
    "cut JSON": {"status": 200, "body": '[{"hash": "', "content_type": "application/json"},
    "null": {"status": 200, "body": "null", "content_type": "application/json"},
    "deep": {"status": 200, "body": "[" * 100_000, "content_type": "application/json"},
    "no text": {"status": 200, "body": b"\xff\xfe\x00", "content_type": "application/json"},
    "not found": {"status": 404, "body": "Not Found"},
    "moved": {"status": 302, "headers": {"Location": "http://192.0.2.1/"}},
    "teapot": {"status": 418, "body": "x"},
    "gateway": {"status": 502, "body": "<html>Bad Gateway</html>", "content_type": "text/html"},
}


def inject(server: FakeQBittorrent, name: str, endpoint: str | None) -> None:
    """Have the server answer so."""
    if name == "10 MB":
        server.faults.huge(endpoint)
    else:
        server.faults.answer(**ANSWERS[name], endpoint=endpoint)


@pytest.mark.parametrize("endpoint", ["torrents/info", "torrents/add"])
async def test_odd_answers(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    clock: FakeClock,
    endpoint: str,
) -> None:
    await start(instance("first", primary), instance("second", secondary, priority=2))
    for number, name in enumerate([*ANSWERS, "10 MB"], 1):
        inject(primary, name, endpoint)
        response = await add(hass, link(number), "bogus", link(100 + number), max_retries=1)
        assert [(one["info_hash"], one["instance"]) for one in response["added"]] == [
            (info_hash(number), "Second"),
            (info_hash(100 + number), "Second"),
        ], name
        assert [one["index"] for one in response["failed"]] == [1], name
        await secondary.refuse()
        queued = await add(hass, link(200 + number), max_retries=0)
        assert queued["queued"][0]["reason"] == "error", name
        primary.faults.clear()
        await call(hass, "check_health")
        await call(hass, "retry_queue")
        await eventually(partial(primary.torrents.find, info_hash(200 + number)))
        await secondary.listen()
        await call(hass, "check_health")
    assert len(primary.torrents) == len(ANSWERS) + 1


HARMLESS = {("log/main", "not found")}
"""A proxy that hides the log hides nothing that an add needs."""


@pytest.mark.parametrize(
    "endpoint", [None, "transfer/info", "log/main", "app/version", "auth/login"]
)
async def test_odd_answers_to_a_check(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    clock: FakeClock,
    endpoint: str | None,
) -> None:
    await start(instance("first", primary))
    names = [one for one in [*ANSWERS, "10 MB"] if (endpoint, one) not in HARMLESS]
    for number, name in enumerate(names, 1):
        primary.expire_sessions()  # so that it is asked for version and log-in, too
        inject(primary, name, endpoint)
        await call(hass, "check_health")
        assert status_of(hass, "first") == "error", name
        response = await add(hass, link(number))
        assert response["queued"][0]["reason"] == "error", name
        await settled(hass)  # a check that is under way has the odd answer
        primary.faults.clear()
        clock.tick(FUTILE_SECONDS + 1)  # two log-ins got no clear answer: the next one is later
        await call(hass, "check_health")
        assert status_of(hass, "first") == "ok", name
        await eventually(partial(primary.torrents.find, info_hash(number)))


async def test_odd_answers_about_the_process(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """Older versions answer 404; whatever else it is, no magnet is lost by it."""
    await start(instance("first", primary))
    for number, name in enumerate([*ANSWERS, "10 MB"], 1):
        inject(primary, name, "app/processInfo")
        response = await add(hass, link(number))
        assert hashes([*response["added"], *response["queued"]]) == [info_hash(number)], name
        primary.faults.clear()
        await call(hass, "check_health")
        await call(hass, "retry_queue")
        await eventually(partial(primary.torrents.find, info_hash(number)))

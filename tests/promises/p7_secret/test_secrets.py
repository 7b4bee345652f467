"""Passwords, keys, cookies and trackers show up nowhere, at whatever level of detail."""

from collections.abc import Callable, Iterator
import json
import logging
import traceback
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.json import JSONEncoder
import pytest

from custom_components.qbittorrent_resilient.core.qbittorrent import Client
from tests.support.actions import STORE, add, again, call, call_silently, on_request, work
from tests.support.common import FakeClock, Start, instance, link
from tests.support.disk_faults import disk_full
from tests.support.fake.record import Received
from tests.support.fake.server import FakeQBittorrent

CANARY = "canary7f3a"
TRACKER = f"&tr=http%3A%2F%2Ftracker.example%2F{CANARY}%2Fannounce&tr=udp://{CANARY}.example:1"
FOREIGN_LOGGERS = ("pytest_homeassistant_custom_component.common",)
"""The plugin's store in memory prints what it is given."""


def secret_link(number: int) -> str:
    return link(number, extra=TRACKER)


@pytest.fixture
async def guarded(socket_enabled: None, caplog: pytest.LogCaptureFixture) -> Any:
    """Yield a server with secrets, and note all its cookies."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("homeassistant.core").setLevel(logging.INFO)  # prints each action's data
    async with FakeQBittorrent(password=f"pw-{CANARY}", username="somebody") as server:
        yield server
    logging.getLogger("homeassistant.core").setLevel(logging.NOTSET)


def cookies_of(server: FakeQBittorrent) -> set[str]:
    """Return the value of each cookie that the server was shown."""
    return {
        one.headers["Cookie"].partition("=")[2]
        for one in server.requests
        if "Cookie" in one.headers
    }


def printed(caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    """Yield each line of the log as a file would get it."""
    for record in caplog.records:
        if record.name not in FOREIGN_LOGGERS:
            yield logging.Formatter("%(name)s %(message)s").format(record)


def assert_silent(
    hass: HomeAssistant,
    caplog: pytest.LogCaptureFixture,
    server: FakeQBittorrent,
    said: list[Any],
) -> None:
    """Look for the secrets everywhere."""
    secrets = {CANARY, *cookies_of(server)}
    lines = [*printed(caplog)]
    assert any("custom_components.qbittorrent_resilient" in line for line in lines)
    lines += [json.dumps(state.as_dict(), cls=JSONEncoder) for state in hass.states.async_all()]
    for one in said:
        if isinstance(one, BaseException):
            lines += [str(one), repr(one), "".join(traceback.format_exception(one))]
        else:
            lines.append(json.dumps(one))
    leaks = [line for line in lines for secret in secrets if secret in line]
    assert not leaks


async def _live_through_much(
    hass: HomeAssistant, entry: Any, server: FakeQBittorrent, clock: FakeClock
) -> list[Any]:
    """Go through successes and failures of all kinds; return what was said."""
    said: list[Any] = [await add(hass, secret_link(1), f"magnet:?{TRACKER}", secret_link(1))]
    faults: tuple[Callable[[], object], ...] = (
        lambda: server.faults.answer(500, f"<b>{CANARY}</b>", "text/html"),
        lambda: server.faults.answer(200, json.dumps([{"x": CANARY}]), "application/json"),
        lambda: server.faults.redirect(f"http://u:{CANARY}@x.example/a?b={CANARY}#{CANARY}"),
        lambda: server.faults.cut("torrents/add"),
        lambda: server.faults.cut("torrents/info"),
        lambda: server.faults.answer(418, CANARY, endpoint="torrents/add"),
    )
    for fault in faults:
        fault()
        said.append(await add(hass, secret_link(2), max_retries=0))
        said.append(await call(hass, "check_health"))
        server.faults.clear()
    server.expire_sessions()
    server.torrents.never_listed = {f"{3:040x}"}
    said.append(await add(hass, secret_link(3)))
    await server.refuse()
    said.append(await add(hass, secret_link(4)))
    said.append(await call(hass, "get_queue"))
    clock.tick(30 * 86_400)
    await work(entry)
    said.append(await call(hass, "get_queue"))
    await server.restart(keep="none")
    said.append(await call(hass, "retry_failed", all=True))
    said.append(await call(hass, "retry_queue"))
    said.append(await call(hass, "remove_magnets", all=True, list="failed"))
    await again(hass, entry)
    return said


@pytest.mark.parametrize("key", [False, True], ids=["password", "API key"])
async def test_nothing_leaks(
    hass: HomeAssistant,
    start: Start,
    guarded: FakeQBittorrent,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    *,
    key: bool,
) -> None:
    guarded.settings.api_key = f"qbt_{CANARY}{'x' * 18}" if key else ""
    entry = await start(instance("first", guarded, api_key=guarded.settings.api_key))
    said = await _live_through_much(hass, entry, guarded, clock)
    assert said[0]["added"]
    assert bool(cookies_of(guarded)) is not key
    assert CANARY.encode() in b"".join(one.body for one in guarded.requests)
    assert_silent(hass, caplog, guarded, said)


@pytest.mark.parametrize("key", [False, True], ids=["password", "API key"])
async def test_wrong_credentials(
    hass: HomeAssistant,
    start: Start,
    guarded: FakeQBittorrent,
    caplog: pytest.LogCaptureFixture,
    *,
    key: bool,
) -> None:
    wrong: dict[str, Any] = (
        {"api_key": f"qbt_{CANARY}{'y' * 18}"} if key else {"password": f"no-{CANARY}"}
    )
    await start(instance("first", guarded, **wrong))
    said = [await add(hass, secret_link(1)), await call(hass, "check_health")]
    assert said[1]["instances"] == {"First": "auth_failed"}
    guarded.ban()
    said.append(await call(hass, "check_health"))
    assert_silent(hass, caplog, guarded, said)


async def test_exceptions(
    hass: HomeAssistant,
    start: Start,
    guarded: FakeQBittorrent,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await start(instance("first", guarded))
    said: list[Any] = []
    for data in (
        {"magnets": [f"magnet:?x={CANARY}"]},
        {"magnets": [{secret_link(1): 5}, f"x {CANARY}@"]},
        {"magnets": {secret_link(1): 1}},
        {"magnets": secret_link(1), "category": f"/{CANARY}"},
        {"magnets": secret_link(1), "max_retries": 99},
    ):
        with pytest.raises(HomeAssistantError) as caught:
            await call_silently(hass, "add_magnets", **data)
        said.append(caught.value)
    with (
        disk_full(),
        pytest.raises(HomeAssistantError) as caught,
    ):
        await call_silently(hass, "add_magnets", magnets=secret_link(1))
    said.append(caught.value)
    assert len(said) == 6
    assert_silent(hass, caplog, guarded, said)


async def test_error_of_our_own_in_a_delivery(
    hass: HomeAssistant,
    start: Start,
    guarded: FakeQBittorrent,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A mistake in this program is logged with its trace, and the magnet waits."""
    await start(instance("first", guarded))
    with patch.object(Client, "add", side_effect=RuntimeError("a mistake")):
        said = [await add(hass, secret_link(1))]
    assert len(said[0]["queued"]) == 1
    assert "a mistake" in "".join(printed(caplog))
    assert_silent(hass, caplog, guarded, said)


async def test_trackers_reach_the_server_and_the_private_file_only(
    hass: HomeAssistant,
    start: Start,
    guarded: FakeQBittorrent,
    hass_storage: dict[str, Any],
) -> None:
    await start(instance("first", guarded))
    seen = []

    def look(received: Received) -> None:
        if received.endpoint == "torrents/add":
            seen.append(json.dumps(hass_storage[STORE]))

    on_request(guarded, look)
    await add(hass, secret_link(1))
    (torrent,) = guarded.torrents
    assert torrent.magnet.trackers == (
        f"http://tracker.example/{CANARY}/announce",
        f"udp://{CANARY}.example:1",
    )
    assert CANARY in seen[0]
    elsewhere = {key: one for key, one in hass_storage.items() if key != STORE}
    assert CANARY not in json.dumps(elsewhere, cls=JSONEncoder)

"""The login and the headers for a proxy go to its server, and show up nowhere else."""

import base64
import json
import logging
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)

from tests.support.actions import add, again, call, work
from tests.support.canaries import SECRET, Ears, assert_silent, variants
from tests.support.common import FakeClock, Start, eventually, instance, link, poll, settled
from tests.support.fake.answer import Answer
from tests.support.fake.proxies import InFront, basic, wants
from tests.support.fake.server import FakeQBittorrent
from tests.support.flow import NO_PROXY, Fields, begin, entered, finish, shown, submit

pytestmark = pytest.mark.usefixtures("socket_enabled", "vpn")

USER, PASSWORD = f"gate-{SECRET}", f"{SECRET} &=+%/ü"
SENT = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
"""How HTTP Basic shows a login, which is no secret form of it."""
LOGIN: Fields = NO_PROXY | {"proxy_username": USER, "proxy_password": PASSWORD}
HEADERS: Fields = NO_PROXY | {"headers": [f"X-Client: {SECRET}-id", f"X-Secret: {SECRET}"]}
LOGIN_PAGE = Answer(
    302, b"", "text/html", {"Location": f"https://u:{SECRET}@team.example/login?kid={SECRET}"}
)
KINDS: dict[str, tuple[Fields, InFront]] = {
    "login": (LOGIN, basic(USER, PASSWORD)),
    "headers": (HEADERS, wants({"X-Client": f"{SECRET}-id", "X-Secret": SECRET}, LOGIN_PAGE)),
}
REFUSED = {"login": {"proxy": "proxy_auth_failed"}, "headers": {"base": "not_qbittorrent"}}
"""A proxy that wants headers shows a login page instead of refusing."""
TOLD = {"login": {"log_in": True, "headers": 0}, "headers": {"log_in": False, "headers": 2}}


@pytest.fixture
def ears(hass: HomeAssistant, caplog: pytest.LogCaptureFixture) -> Ears:
    """Listen at the most talkative level, to all loggers."""
    caplog.set_level(logging.DEBUG)
    for name in ("aiohttp", "aiohttp.client", "asyncio", "homeassistant.core"):
        caplog.set_level(logging.DEBUG, name)
    return Ears(hass, caplog)


async def set_up(hass: HomeAssistant, server: FakeQBittorrent, kind: str) -> Any:
    """Go through the form with what it refuses first; return the entry."""
    form = await begin(hass)
    for wrong, errors in (
        ({"headers": [SECRET]}, {"proxy": "invalid_headers"}),
        ({"headers": [f"X: {SECRET}\nY: {SECRET}"]}, {"proxy": "invalid_headers"}),
        ({"headers": [f"Cookie: {SECRET}"]}, {"proxy": "invalid_headers"}),
        ({"proxy_username": f"{SECRET}:"}, {"proxy": "invalid_proxy_login"}),
        ({"proxy_password": f"{SECRET}\x00"}, {"proxy": "invalid_proxy_login"}),
        ({"proxy_password": f"no-{SECRET}"}, REFUSED[kind]),
    ):
        form = await submit(hass, form, entered(server, proxy=NO_PROXY | wrong))
        assert form["errors"] == errors, wrong
        assert SECRET not in str(form["description_placeholders"])
    result = await finish(hass, await submit(hass, form, entered(server, proxy=KINDS[kind][0])))
    await eventually(lambda: hass.states.is_state("sensor.first_status", "ok"))
    return result["result"]


async def changed_twice(hass: HomeAssistant, entry: Any, section: Fields) -> None:
    """Change the server's settings: not accepted at first, then as they were.

    The form shows no password and no value of a header, and keeps them nevertheless.
    """
    (key,) = entry.subentries
    form = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "instance"), context={"source": "reconfigure", "subentry_id": key}
    )
    fields = shown(form)
    assert fields["proxy"] == section | {
        "proxy_password": "",
        "headers": [f"{line.partition(':')[0]}: ••••••" for line in section["headers"]],
    }
    configure = hass.config_entries.subentries.async_configure
    wrong = {"proxy": NO_PROXY | {"headers": [f"X-Other: {SECRET}"]}}
    form = await configure(form["flow_id"], fields | wrong)
    assert form["type"] is FlowResultType.FORM
    result = await configure(form["flow_id"], fields)
    assert result["type"] is FlowResultType.ABORT
    await settled(hass)
    assert entry.subentries[key].data["proxy"] == section


async def let_in_again(hass: HomeAssistant, server: FakeQBittorrent) -> None:
    """Have qBittorrent's own password changed, and enter the new one behind the proxy."""
    server.settings.password = "changed"
    server.expire_sessions()
    await poll(hass)
    (dialog,) = hass.config_entries.flow.async_progress()
    for password in ("wrong", "changed"):
        form = await submit(hass, dialog, {"username": "admin", "password": password})
    assert form["reason"] == "reauth_successful"
    await settled(hass)


async def live_through_much(
    hass: HomeAssistant, entry: Any, server: FakeQBittorrent, clock: FakeClock
) -> list[Any]:
    """Let the proxy and the server fail in every way; return what the actions answer."""
    said: list[Any] = []
    in_front = server.in_front
    fronts: tuple[InFront, ...] = (
        basic("gate", "other"),
        basic(USER, PASSWORD, passes_on=True),
        *(
            lambda _, answer=answer: answer
            for answer in (
                LOGIN_PAGE,
                Answer(403, f"<html>{SECRET}".encode(), "text/html"),
                Answer(407, SECRET.encode(), "text/plain"),
                Answer(502, f"<html>{SECRET}".encode(), "text/html"),
            )
        ),
    )
    for number, front in enumerate(fronts, 1):
        server.in_front = front
        said += [await add(hass, link(number), max_retries=0), await call(hass, "check_health")]
        server.in_front = in_front
        clock.tick(4000)
        said.append(await call(hass, "check_health"))
        await work(entry)
    for cut in (server.faults.cut, lambda: server.faults.cut("torrents/add", after=True)):
        cut()
        said += [await add(hass, link(20)), await call(hass, "check_health")]
        server.faults.clear()
    await again(hass, entry)
    return [*said, await call(hass, "get_queue"), await call(hass, "retry_failed", all=True)]


@pytest.mark.parametrize("kind", KINDS)
async def test_from_the_form_to_the_removal(
    hass: HomeAssistant,
    hass_client: Any,
    primary: FakeQBittorrent,
    ears: Ears,
    clock: FakeClock,
    kind: str,
) -> None:
    assert await async_setup_component(hass, "diagnostics", {})
    section, primary.in_front = KINDS[kind]
    entry = await set_up(hass, primary, kind)
    said = [await add(hass, link(1))]
    assert said[0]["added"]
    await changed_twice(hass, entry, section)
    await let_in_again(hass, primary)
    (only,) = entry.subentries.values()
    assert (only.data["proxy"], only.data["password"]) == (section, "changed")
    said += await live_through_much(hass, entry, primary, clock)
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert found["instances"]["instance_1"]["proxy"] == TOLD[kind]
    text = json.dumps(found).lower()
    assert not [one for secret in (SECRET, SENT) for one in variants(secret) if one in text]
    assert await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert_silent(ears, said, PASSWORD, SENT)
    assert "team.example" not in json.dumps(found)
    received = [f"{dict(one.headers)}" for one in primary.requests]
    assert [one for one in received if SECRET in one or SENT in one], "nothing was sent"


async def test_no_proxy_no_word(
    hass: HomeAssistant, hass_client: Any, start: Start, primary: FakeQBittorrent
) -> None:
    """The diagnostics name it only where it is set, also if the server is not loaded."""
    assert await async_setup_component(hass, "diagnostics", {})
    entry = await start(
        instance("first", primary),
        instance("second", primary, priority=2, proxy={**HEADERS, "proxy_username": USER}),
    )
    assert await hass.config_entries.async_unload(entry.entry_id)
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert "proxy" not in found["instances"]["instance_1"]
    assert found["instances"]["instance_2"]["proxy"] == {"log_in": True, "headers": 2}

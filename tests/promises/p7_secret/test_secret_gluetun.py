"""The credentials of a gluetun, where it is, and the address of its exit show up nowhere."""

import json
import logging
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)

from tests.support.actions import add, call
from tests.support.canaries import SECRET, Ears, assert_silent, variants
from tests.support.common import TARGET, FakeClock, FakeVpn, Start, instance, link, poll
from tests.support.fake.server import FakeQBittorrent
from tests.support.gluetun import EXIT, PUBLIC_IP, STATUS, FakeGluetun


async def live_through_much(
    hass: HomeAssistant, gluetun: FakeGluetun, clock: FakeClock
) -> list[Any]:
    """Let every kind of trouble come up, and return what the actions answer."""
    said: list[Any] = []
    troubles: tuple[Any, ...] = (
        lambda: gluetun.say("stopped"),
        lambda: gluetun.say("running"),
        lambda: setattr(gluetun, "api_key", "another"),
        *(
            lambda fault=fault: gluetun.faults.update({"*": fault})
            for fault in ("html", "redirect", "garbage", "cut", "error", "endless")
        ),
    )
    key = gluetun.api_key
    for number, begin in enumerate(troubles, 1):
        begin()
        for _ in range(4):
            clock.tick(30)
            await poll(hass)
            said.append(await call(hass, "check_health"))
        said.append(await add(hass, link(number)))
        gluetun.api_key = key
        gluetun.faults.clear()
        gluetun.say("running", EXIT)
        await poll(hass)
    return said


async def test_nothing_is_told(
    hass: HomeAssistant,
    hass_client: Any,
    start: Start,
    primary: FakeQBittorrent,
    vpn: FakeVpn,
    gluetun: FakeGluetun,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert await async_setup_component(hass, "diagnostics", {})
    caplog.set_level(logging.DEBUG)
    ears = Ears(hass, caplog)
    gluetun.api_key = f"key-{SECRET}"
    fields = gluetun.fields | {
        "gluetun_username": f"user-{SECRET}",
        "gluetun_password": f"password-{SECRET}",
    }
    first = instance("first", primary, requires_vpn=True, gluetun=fields)
    entry = await start(first, targets=(TARGET,))
    said = await live_through_much(hass, gluetun, clock)
    assert gluetun.requests
    assert {one.path for one in gluetun.requests} == {STATUS, PUBLIC_IP}
    for asked in gluetun.requests:
        assert SECRET not in f"{asked.path}{asked.body!r}"
        assert asked.headers["X-API-Key"] == f"key-{SECRET}"
    assert_silent(ears, said, EXIT)
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    text = json.dumps(found).lower()
    port = gluetun.url.rpartition(":")[2]
    private = [*variants(SECRET), EXIT, "127.0.0.1", TARGET, port]
    assert not [one for one in private if one in text]
    told = found["instances"]["instance_1"]["gluetun"]
    assert (told["state"], told["tunnel"], told["says"]) == ("on", "up", "running")
    assert told["log_in"] == ["api_key", "password"]
    reasons = {one.get("reason") for one in told["history"]["last_changes"]}
    assert {"stopped", "running", "refused", "foreign", "silent"} <= reasons


async def test_diagnostics_before_the_first_look(
    hass: HomeAssistant,
    hass_client: Any,
    start: Start,
    primary: FakeQBittorrent,
    gluetun: FakeGluetun,
) -> None:
    assert await async_setup_component(hass, "diagnostics", {})
    fields = gluetun.fields | {"gluetun_url": "https://vpn.example:8000/gluetun"}
    entry = await start(instance("first", primary, gluetun=fields))
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert found["instances"]["instance_1"]["gluetun"] == {
        "scheme": "https",
        "host": "name",
        "has_path": True,
        "log_in": [],
    }

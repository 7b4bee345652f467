"""A leak from beginning to end: no address of home or VPN, and no key, is seen anywhere."""

from collections.abc import Iterator
import json
import logging
from typing import Any

from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from tests.live.common import configure
from tests.live.route_stage import hand, new_magnet, until_heard, until_told
from tests.live.route_watch import AT_HOME, AT_HOME_IPV6, BY_TUNNEL, PATIENCE_SECONDS, ROUTER, Watch
from tests.live.vpn_stage import makes_tunnels
from tests.support.actions import again, call
from tests.support.canaries import SECRET, Ears, shown, variants
from tests.support.gluetun import FakeGluetun
from tests.support.harness.home_client import TO_TUNNEL, UNBOUND, HomeClient
from tests.support.harness.vpn import Vpn
from tests.support.harness.world import announced_at
from tests.support.harness.world_places import TRACKER_IPV6

pytestmark = [makes_tunnels, pytest.mark.timeout(120)]

KEY, PASSWORD = f"key-{SECRET}", f"password-{SECRET}"
ADDRESSES = (AT_HOME, AT_HOME_IPV6, "2001:db8:1:", BY_TUNNEL)


def said(ears: Ears, answers: list[Any]) -> Iterator[str]:
    """Yield all that anybody sees, but for the router's own sensor, which says the address."""
    for line in (
        *ears.public(),
        *ears.private(),
        *(text for one in answers for text in shown(one)),
    ):
        if ROUTER not in line:
            yield line.lower()


async def test_nothing_is_seen(
    watch: Watch,
    vpn_target: Vpn,
    newest_client: HomeClient,
    hass_client: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    hass, world, client = watch.hass, watch.world, newest_client
    ears = Ears(hass, caplog)
    assert await async_setup_component(hass, "diagnostics", {})
    answers: list[Any] = []
    client.renew(UNBOUND)
    async with FakeGluetun() as gluetun:
        gluetun.api_key, gluetun.public_ip = KEY, BY_TUNNEL
        access = {
            "gluetun_url": gluetun.url,
            "gluetun_api_key": KEY,
            "gluetun_username": "someone",
            "gluetun_password": PASSWORD,
        }
        await watch.begin(client, vpn_target, gluetun=access)
        entry = watch.entry

        async def look() -> None:
            answers.append(await call(hass, "check_health"))
            answers.append(await call(hass, "get_queue"))
            answers.append(await get_diagnostics_for_config_entry(hass, hass_client, entry))
            ears.look_at_tasks()

        await look()
        for tracker in (announced_at(), announced_at(TRACKER_IPV6)):
            leaked, magnet = new_magnet(tracker)
            hand(client, magnet)
            await until_heard(world, leaked, AT_HOME if "192" in tracker else AT_HOME_IPV6)
        await until_told(client, AT_HOME, AT_HOME_IPV6)
        await watch.until_status("leaking")
        await watch.is_kept_back(*new_magnet(announced_at()))
        await look()
        await again(hass, entry)
        await watch.until_status("leaking", seconds=PATIENCE_SECONDS)
        for change in ({"public_ip": AT_HOME}, {"api_key": "another"}, {"faults": {"*": "html"}}):
            for attribute, value in change.items():
                setattr(gluetun, attribute, value)
            await look()
        gluetun.public_ip, gluetun.api_key, gluetun.faults = BY_TUNNEL, KEY, {}
        configure(client, current_network_interface=TO_TUNNEL)
        await watch.until_status("ok", seconds=PATIENCE_SECONDS)
        await look()
        assert await hass.config_entries.async_remove(entry.entry_id)
        await hass.async_block_till_done()
        assert any(one.headers.get("X-API-Key") == KEY for one in gluetun.requests)
    lines = list(said(ears, answers))
    assert any("leaking" in line for line in lines)
    secrets = [form for one in (*ADDRESSES, KEY, PASSWORD) for form in variants(one)]
    found = {line for line in lines if any(secret in line for secret in secrets)}
    assert not found, json.dumps(sorted(found), indent=1)[:3000]

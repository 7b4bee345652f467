"""Neither the home's addresses nor the VPN's are seen anywhere, nor what else settings hold."""

from collections.abc import Iterator
import json
import logging
from typing import Any

from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.json import JSONEncoder
import pytest

from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.diagnostics import async_get_config_entry_diagnostics
from tests.support.actions import add, again, call
from tests.support.common import FakeClock, FakeVpn, Start, link, poll, settled
from tests.support.fake import Dialect, FakeQBittorrent
from tests.support.leaks import ROUTER, start_at_home
from tests.support.routes import EXIT, HOME, HOME_V6, TUNNEL

SECRET = "canary7f3a"
ADDRESSES = (HOME, HOME_V6, TUNNEL, EXIT)
OWN = "custom_components"


class Said:
    """All that is said of us, by us and by Home Assistant; what the router's sensor says is not."""

    def __init__(self, hass: HomeAssistant, caplog: pytest.LogCaptureFixture) -> None:
        self._hass, self._caplog = hass, caplog
        self._events: list[str] = []
        hass.bus.async_listen("*", self._hear)

    @callback
    def _hear(self, event: Event[Any]) -> None:
        if event.data.get("entity_id") != ROUTER:
            self._events.append(json.dumps(event.as_dict(), cls=JSONEncoder))

    def log(self) -> Iterator[str]:
        for record in self._caplog.records:
            line = logging.Formatter("%(name)s %(message)s").format(record)
            if ROUTER not in line and "plugins" not in record.name and not _of_storage(record):
                yield line

    def __iter__(self) -> Iterator[str]:
        yield from self.log()
        yield from self._events
        for state in self._hass.states.async_all():
            if state.entity_id != ROUTER:
                yield json.dumps(state.as_dict(), cls=JSONEncoder)
        yield from map(repr, ir.async_get(self._hass).issues.values())


def _of_storage(record: logging.LogRecord) -> bool:
    """Tell whether the plugin's store in memory prints what it is given."""
    return record.name.startswith("pytest_homeassistant_custom_component")


async def test_addresses_are_seen_nowhere(
    hass: HomeAssistant,
    start: Start,
    vpn: FakeVpn,
    clock: FakeClock,
    dialect: Dialect,
    caplog: pytest.LogCaptureFixture,
    socket_enabled: None,
) -> None:
    """A leak is found, at a check and before a delivery, is shown, mended, and found again."""
    caplog.set_level(logging.DEBUG)
    said = Said(hass, caplog)
    answers: list[Any] = []
    async with FakeQBittorrent(dialect) as server:
        server.network.secret = SECRET
        server.settings.api_key = f"qbt_{SECRET}"
        entry = await start_at_home(hass, start, server)
        runtime = entry.runtime_data
        server.network.bind("", "203.0.113.5")
        for number, address in enumerate((TUNNEL, HOME, HOME_V6, EXIT, HOME)):
            server.network.detect(address)
            clock.tick(6)
            answers.append(await add(hass, link(number + 1), max_retries=0))
            await poll(hass)
            answers.append(await call(hass, "check_health"))
            answers.append(await async_get_config_entry_diagnostics(hass, entry))
            if number % 2:
                entry.runtime_data.routes["first"].mended()
                await settled(hass)
        server.faults.answer(
            200, json.dumps({"proxy_password": SECRET, "x": HOME}), "application/json"
        )
        await call(hass, "check_health")
        server.faults.clear()
        assert "leaking" in {answer.get("instances", {}).get("First") for answer in answers}
        printed = [repr(part) for one in runtime.routes.values() for part in (one, one.record)]
        await again(hass, entry)
        await settled(hass)
    lines = [*said, *(json.dumps(one) for one in answers), *printed]
    assert any(f"{OWN}.{DOMAIN}" in line for line in lines)
    assert any('"leak"' in line for line in lines)
    hidden = (*ADDRESSES, "2001:db8", SECRET)
    assert not [line[:300] for line in lines if any(one in line for one in hidden)]

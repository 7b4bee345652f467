"""What tests share beside fixtures: links, instances, a VPN to take up and down."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
import inspect
import time
from typing import Any

from homeassistant.config_entries import ConfigSubentryDataWithId
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.qbittorrent_resilient.core.clock import Clock
from custom_components.qbittorrent_resilient.core.dispatcher import Dispatcher
from custom_components.qbittorrent_resilient.core.errors import PingNotPermittedError
from custom_components.qbittorrent_resilient.core.health.look_up import is_address
from custom_components.qbittorrent_resilient.core.health.probe import Echoes, NoAnswer
from custom_components.qbittorrent_resilient.core.routine import Routine
from custom_components.qbittorrent_resilient.flows.surroundings import Surroundings
from tests.support.fake.server import FakeQBittorrent

type Start = Callable[..., Any]

TARGET = "192.0.2.7"


class FakeVpn:
    """Far ends that answer while they are up; the only thing that is not real in these tests.

    Every name is that of a far end, unless `names` says otherwise: another address, or none.
    """

    def __init__(self) -> None:
        self.up = True
        self.permitted = True
        self.rounds = 0
        self.names: dict[str, str | None] = {}
        self.surroundings = Surroundings()

    async def address(self, host: str) -> str | None:
        return host if is_address(host) else self.names.get(host, TARGET)

    async def kind(self) -> bool:
        if not self.permitted:
            raise PingNotPermittedError("no ICMP socket is permitted on this host")
        return True

    async def __call__(self, target: str) -> Echoes:
        self.rounds += 1
        await self.kind()
        if await self.address(target) is None:
            return Echoes(0, (), NoAnswer.NOT_RESOLVED)
        return Echoes(3, (12.5, 13.0, 12.0) if self.up else ())


class FakeClock:
    """The core's clock, put forward at will; its sleeps take no time and move it on."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def tick(self, seconds: float) -> None:
        self.ahead += seconds

    def make(self) -> Clock:
        return Clock(
            now=lambda: time.time() + self.ahead,
            monotonic=lambda: time.monotonic() + self.ahead,
            sleep=self._sleep,
        )

    async def _sleep(self, seconds: float) -> None:
        self.tick(seconds)
        await asyncio.sleep(0)


def instance(
    key: str, server: FakeQBittorrent, *, priority: int = 1, **fields: Any
) -> ConfigSubentryDataWithId:
    """Return the subentry of a server; its name is its key with a capital."""
    data = {
        "url": server.url,
        "username": server.settings.username,
        "password": server.settings.password,
        "api_key": "",
        "verify_ssl": True,
        "requires_vpn": False,
        "priority": priority,
        "defaults": {"category": "", "save_path": "", "tags": [], "stopped": "server"},
    }
    return ConfigSubentryDataWithId(
        data=data | fields,
        subentry_type="instance",
        title=key.capitalize(),
        unique_id=None,
        subentry_id=key,
    )


def first_and_second(
    primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> tuple[ConfigSubentryDataWithId, ConfigSubentryDataWithId]:
    """Return the subentries of two servers, in this order in line."""
    return instance("first", primary), instance("second", secondary, priority=2)


def link(number: int, *, name: str | None = None, extra: str = "") -> str:
    """Return the magnet link number so-and-so."""
    return f"magnet:?xt=urn:btih:{number:040x}&dn={name or f'Torrent+{number}'}{extra}"


def info_hash(number: int) -> str:
    """Return the info-hash of the magnet link number so-and-so."""
    return f"{number:040x}"


async def eventually(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait until something is so; this machine may be busy with other tests."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.002)


async def settled(hass: HomeAssistant) -> None:
    """Wait until nothing is under way any more but the dispatcher, which never ends."""

    def at_rest() -> bool:
        others = hass._tasks | hass._background_tasks
        names = {getattr(one, "get_name", lambda: "job")() for one in others if not one.done()}
        return not (names | _own_work()) - {"magnet dispatcher"}

    await eventually(at_rest)
    await hass.async_block_till_done()


def _own_work() -> set[str]:
    own = {
        "instance check",
        "vpn round",
        "magnet delivery",
        "magnet survey",
        "queue commit",
        "web link",
    }
    return own & {task.get_name() for task in asyncio.all_tasks()} | _passes()


def _passes() -> set[str]:
    """Return the tasks of workers that are in a pass, or woken for one."""
    coroutines = {task.get_name(): task.get_coro() for task in asyncio.all_tasks()}
    return {
        name
        for name, coroutine in coroutines.items()
        if inspect.iscoroutine(coroutine)
        and coroutine.__qualname__ == Routine.run.__qualname__
        and not _waits_for_event(coroutine.cr_await)
    }


def _waits_for_event(awaited: object) -> bool:
    return (
        inspect.iscoroutine(awaited)
        and awaited.__qualname__ == asyncio.Event.wait.__qualname__
        and awaited.cr_frame is not None
        and not awaited.cr_frame.f_locals["self"].is_set()
    )


async def looked() -> None:
    """Wait until no check, round or delivery is under way, whatever automations wait for."""
    await eventually(lambda: not _own_work())


def pass_time(hass: HomeAssistant, seconds: float) -> None:
    """Fire every timer that is due within so many seconds, those of HTTP requests included."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seconds))


async def poll(hass: HomeAssistant, seconds: float = 31) -> None:
    """Let so much time pass, by default one interval, and wait for what it brings."""
    pass_time(hass, seconds)
    await asyncio.sleep(0)
    await settled(hass)


async def work_once(dispatcher: Dispatcher) -> None:
    """Let the dispatcher do now what it does in the background."""
    await dispatcher._worker.reconcile()
    await dispatcher._worker.drain()
    await eventually(lambda: not dispatcher.snapshot().delivering)  # it may have begun by itself
    for _ in range(10):  # turns of the loop, in which it notes what follows
        await asyncio.sleep(0)
    await eventually(lambda: "queue commit" not in _own_work())

"""What the benchmarks run on: Home Assistant in this process, a server in another."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
import contextlib
from pathlib import Path
import sys
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from aiohttp import ThreadedResolver
from homeassistant import loader
from homeassistant.config_entries import ConfigSubentryDataWithId
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_test_home_assistant

import custom_components  # noqa: F401  # first: phcc has a package of this name, too
from custom_components.qbittorrent_resilient.const import DOMAIN
from tests.support.harness.process import free_port

type Response = dict[str, Any]
PASSWORD = "secret"  # of the fake


class Resolver(ThreadedResolver):
    """A resolver that needs no network integration."""

    async def real_close(self) -> None:
        """Close nothing: Home Assistant's name for it."""


class Server:
    """A fake qBittorrent in a process of its own, so that its work is not counted."""

    def __init__(self, seconds: float = 0.0) -> None:
        """Take a port; each answer to an add takes so many seconds."""
        self.port = free_port("127.0.0.1")
        self._seconds = seconds
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it, with no torrents."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tools.bench.server", str(self.port), str(self._seconds)),
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        await self._process.stdout.readline()

    async def stop(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None


@contextlib.asynccontextmanager
async def home_assistant(folder: Path, *servers: str) -> AsyncGenerator[HomeAssistant]:
    """Yield a Home Assistant with these servers set up, its storage in `folder`."""
    (folder / ".storage").mkdir(parents=True, exist_ok=True)
    resolver = "homeassistant.helpers.aiohttp_client._async_make_resolver"  # it needs zeroconf
    async with async_test_home_assistant(config_dir=str(folder)) as hass:
        asyncio.get_running_loop().set_debug(False)
        hass.data.pop(loader.DATA_CUSTOM_COMPONENTS, None)
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="qBittorrent Resilient",
            entry_id="hub",
            data={"vpn_targets": []},
            subentries_data=[_instance(number, url) for number, url in enumerate(servers, 1)],
        )
        entry.add_to_hass(hass)
        with patch(resolver, lambda _: Resolver()):
            assert await hass.config_entries.async_setup(entry.entry_id)
        try:
            yield hass
        finally:
            await hass.config_entries.async_unload(entry.entry_id)
            await hass.async_stop(force=True)


async def call(hass: HomeAssistant, action: str, **data: Any) -> Response:
    """Call an action and return its response."""
    response = await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=True
    )
    return dict(response or {})


def written() -> int:
    """Return how many bytes this process has written to files so far."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["wchar"])


def _instance(number: int, url: str) -> ConfigSubentryDataWithId:
    data: Mapping[str, Any] = {
        "url": url,
        "username": "admin",
        "password": PASSWORD,
        "api_key": "",
        "verify_ssl": True,
        "requires_vpn": False,
        "priority": number,
        "defaults": {"category": "", "save_path": "", "tags": [], "stopped": "stop"},
    }
    return ConfigSubentryDataWithId(
        data=MappingProxyType(data),
        subentry_type="instance",
        title=f"Server {number}",
        unique_id=None,
        subentry_id=f"server{number}",
    )

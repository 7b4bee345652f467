"""Everything the demo needs, set up: servers, VPN, Home Assistant with the integration."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import re
import time
from typing import Any

from tests.support.harness.home_assistant import DOMAIN, HomeAssistant
from tests.support.harness.home_assistant_api import Api
from tests.support.harness.home_sensor import make_home_sensor

from .console import Console
from .magnets import Magnet, names
from .servers import PASSWORD, Server
from .tunnel import Tunnel

SCAN_INTERVAL = 10
NO_TARGET = "-"
# Home Assistant misses these programs; nothing here needs them.
HARMLESS = ("haffmpeg", "turbojpeg")


@dataclass(frozen=True)
class View:
    """What the sensors say and what the servers list, at one moment."""

    vpn: str
    gluetun: str
    primary: str
    route: str
    secondary: str
    queued: str
    active: str
    on_primary: list[str] | None
    on_secondary: list[str] | None

    def cells(self) -> list[str]:
        """Return it for the table."""
        lists = [
            "(down)" if listed is None else " ".join(listed) or "nothing"
            for listed in (self.on_primary, self.on_secondary)
        ]
        shown = [self.vpn, self.gluetun, self.primary, self.route, self.secondary]
        return [*shown, self.queued, self.active, *lists]


@dataclass
class Stage:
    """The parts, and what a user does with them."""

    home_assistant: HomeAssistant
    primary: Server
    secondary: Server
    tunnel: Tunnel
    console: Console
    entities: dict[str, str]

    @property
    def api(self) -> Api:
        """Return the API of Home Assistant, which changes when that restarts."""
        return self.home_assistant.api

    async def configure(self) -> None:
        """Set the integration up through its own config and options flows."""
        sensor = await make_home_sensor(self.api)
        flow = await self.api.config_flow(DOMAIN)
        await flow.expect("form", "user").submit(
            vpn_targets=self.tunnel.targets, home_address=[sensor]
        )
        for number, server in enumerate((self.primary, self.secondary), 1):
            gluetun = dict(flow.expect("form", "instance").form["gluetun"])
            if server is self.primary:
                gluetun["gluetun_url"] = self.tunnel.gluetun.url
            await flow.submit(
                name=server.name,
                url=server.url,
                username=server.username,
                password=PASSWORD,
                requires_vpn=server is self.primary,
                priority=number,
                gluetun=gluetun,
            )
            flow.expect("menu", "more")
            await flow.choose("instance" if server is self.primary else "finish")
        flow.expect("create_entry")
        (entry,) = await self.api.entries(DOMAIN)
        options = await self.api.options_flow(entry["entry_id"])
        await options.expect("form", "init").submit(scan_interval=SCAN_INTERVAL)
        options.expect("create_entry")
        await self._find_entities(entry["entry_id"])

    async def _find_entities(self, entry_id: str) -> None:
        """Look the entities up by what never changes, their unique ids."""
        subentries = await self.api.subentries(entry_id)
        wanted = {
            "vpn": f"{entry_id}_vpn",
            "queued": f"{entry_id}_queued_magnets",
            "active": f"{entry_id}_active_instance",
            "primary": f"{subentries[self.primary.name]}_status",
            "route": f"{subentries[self.primary.name]}_route",
            "secondary": f"{subentries[self.secondary.name]}_status",
        }
        known = await self.api.entity_ids(DOMAIN)
        if not self.tunnel.targets:
            del wanted["vpn"]
        self.entities = {key: known[unique_id] for key, unique_id in wanted.items()}

    async def view(self) -> View:
        """Look at everything."""
        states = await self.api.states()
        said = {
            key: states.get(entity_id, {}).get("state", "missing")
            for key, entity_id in self.entities.items()
        }
        listed = [
            None if (hashes := server.hashes()) is None else names(hashes)
            for server in (self.primary, self.secondary)
        ]
        said.setdefault("vpn", NO_TARGET)
        gluetun = str(self.tunnel.gluetun.status)
        return View(**said, gluetun=gluetun, on_primary=listed[0], on_secondary=listed[1])

    def vpn(self, *, up: bool) -> dict[str, str]:
        """Return what a view shows of the VPN while it is up, or down."""
        vpn = ("on" if up else "off") if self.tunnel.targets else NO_TARGET
        return {"vpn": vpn, "gluetun": "running" if up else "stopped"}

    async def check_health(self) -> None:
        """Have everything checked now, as a user does."""
        await self.api.call_service(DOMAIN, "check_health")

    async def until(
        self, what: str, condition: Callable[[View], bool], seconds: float = 90
    ) -> tuple[View, float]:
        """Wait for something; return the last look and the seconds it took, met or not."""
        began = time.monotonic()
        while True:
            view = await self.view()
            passed = time.monotonic() - began
            if condition(view) or passed > seconds:
                return view, passed
            self.console.note(f"waiting until {what}")
            await asyncio.sleep(0.2)

    async def add(self, *magnets: Magnet | str, **fields: Any) -> dict[str, Any]:
        """Add magnets as an automation does."""
        links = [magnet.link if isinstance(magnet, Magnet) else magnet for magnet in magnets]
        self.console.note(f"calling add_magnets with {len(links)}")
        answer: dict[str, Any] = await self.api.call_service(
            DOMAIN, "add_magnets", {"magnets": links} | fields
        )
        return answer

    def announced_from(self, magnet: Magnet) -> set[str]:
        """Return the addresses from which the tracker has heard of a magnet."""
        world = self.tunnel.world
        return world.sources(magnet.info_hash) if world is not None else set()

    async def get_queue(self) -> set[str]:
        """Return the names of what is queued."""
        answer = await self.api.call_service(DOMAIN, "get_queue")
        return {item["name"] for item in answer["queued"]}


def log_of_integration(home_assistant: HomeAssistant, records: int = 15) -> str:
    """Return the latest records on the integration, and errors of others that may concern it."""
    log = re.split(r"(?m)^(?=\d{4}-\d\d-\d\d )", home_assistant.log())
    wanted = [
        record.rstrip()
        for record in log
        if DOMAIN in record or (" ERROR " in record and not any(x in record for x in HARMLESS))
    ]
    return "\n".join(wanted[-records:])

"""A home that fetches web links from sites without a network."""

from collections.abc import AsyncGenerator

import pytest

from custom_components.qbittorrent_resilient.core.dispatcher import Event
from custom_components.qbittorrent_resilient.core.events import DeliveryEvent
from tests.support.core import Http, TimedServer
from tests.support.home import ServerHome
from tests.support.sites import Sites


class LinkHome(ServerHome):
    """The home of one server, and of somebody who hears its events."""

    def __init__(self, server: TimedServer, http: Http) -> None:
        self.sites = Sites()
        self.told: list[tuple[str, tuple[str, ...], str | None]] = []
        super().__init__(server, http)
        self.fetcher = self.sites
        self.restart()

    def restart(self) -> None:
        """Go on with a dispatcher that has read nothing yet."""
        self.new_dispatcher().subscribe(self._hear)

    def _hear(self, event: Event) -> None:
        if isinstance(event, DeliveryEvent):
            self.told.append((event.event_type.value, event.names, event.reason))

    @property
    def link_stages(self) -> list[str]:
        """The stages of the links on disk."""
        return [record["stage"] for record in self.links.records.values()]


@pytest.fixture
async def home(newest: TimedServer, http: Http) -> AsyncGenerator[LinkHome]:
    """Return the home of a server that is ok."""
    home = LinkHome(newest, http)
    await home.monitor.check()
    yield home
    home.sites.go_on()
    home.store.go_on()
    await home.dispatcher.stop()

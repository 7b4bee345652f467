"""What a look asks of a server, and what it makes of what the server says of its network."""

from collections.abc import Awaitable, Callable
import itertools

import pytest

from custom_components.qbittorrent_resilient.core.health.home import HomeAddresses
from custom_components.qbittorrent_resilient.core.health.instance import InstanceMonitor
from custom_components.qbittorrent_resilient.core.health.network_watch import (
    LEAKING_LOOK_SECONDS,
    RETRY_SECONDS,
    SLOW_LOOK_SECONDS,
)
from custom_components.qbittorrent_resilient.core.health.route import QUIET_SECONDS, RouteMonitor
from tests.support.core import Http, TimedServer
from tests.support.routes import EXIT, HOME, TUNNEL

CHECK = ["transfer/info", "log/main"]
SLOW = ["app/preferences", "app/networkInterfaceList"]


class Watched:
    """A server that requires the VPN, and its monitor."""

    def __init__(self, server: TimedServer, http: Http, *, has_route: bool = True) -> None:
        self.server = server
        self.time = http.time
        clock = http.time.clock
        self.home = HomeAddresses(clock)
        self.home.tell("router", [HOME])
        self.route = RouteMonitor(self.home, clock) if has_route else None
        client = http.client(server)
        settings = http.settings(server)
        self.monitor = InstanceMonitor(settings, client, route=self.route, clock=clock)
        self.heard: list[str | None] = []
        self.monitor.subscribe(lambda status: self.heard.append(status and status.value))

    async def check(self, seconds: float = 30) -> str | None:
        """Check after so many seconds; return the status."""
        self.time.seconds += seconds
        status = await self.monitor.check()
        return status and status.value

    async def asked(self, seconds: float = 30) -> list[str]:
        """Check, and return what the server was asked."""
        before = len(self.server.requests)
        await self.check(seconds)
        return [one.endpoint for one in self.server.requests[before:]]


@pytest.fixture
async def watched(server: TimedServer, http: Http) -> Watched:
    """Return the monitor of a bound server that was looked at once."""
    server.network.bind("tun0")
    watched = Watched(server, http)
    assert await watched.check(60) == "ok"
    return watched


async def test_requests_of_an_hour(watched: Watched) -> None:
    """2.1 a check at most, and no login more."""
    server = watched.server
    server.record.clear()
    for _ in range(120):
        assert await watched.check() == "ok"
    assert len(server.requests) <= 2.1 * 120
    assert not server.logins
    assert len(server.requests_to("app/preferences")) == 3600 / SLOW_LOOK_SECONDS


async def test_first_hour(server: TimedServer, http: Http) -> None:
    watched = Watched(server, http)
    for _ in range(120):
        await watched.check()
    assert len(server.logins) == 1
    opening = len(server.requests_to("app/version")) + 1
    assert len(server.requests) - opening <= 2.1 * 120
    assert {one.method for one in server.requests if "login" not in one.path} == {"GET"}


async def test_a_server_that_needs_no_vpn_is_asked_two_things(
    server: TimedServer, http: Http
) -> None:
    watched = Watched(server, http, has_route=False)
    await watched.check()
    for _ in range(50):
        assert await watched.asked(60) == CHECK


async def test_settings_are_read_where_the_log_gives_cause(watched: Watched) -> None:
    server = watched.server
    assert await watched.asked() == CHECK
    server.network.bind("tun0")
    assert await watched.asked() == CHECK + SLOW
    assert await watched.asked() == CHECK
    server.log('The configured network interface is invalid. Interface: "tun0"', 8)
    assert await watched.asked() == CHECK + SLOW
    server.say_not_saving()
    assert await watched.asked() == CHECK
    server.network.detect(EXIT)
    assert await watched.asked() == CHECK
    server.network.detect(HOME)
    assert await watched.asked() == CHECK + SLOW
    assert await watched.asked() == CHECK
    watched.monitor.ask_for_binding()
    assert await watched.asked() == CHECK + SLOW
    assert await watched.asked(SLOW_LOOK_SECONDS) == CHECK + SLOW


async def test_settings_are_read_after_a_renewal(watched: Watched) -> None:
    watched.server.expire_sessions()
    assert set(SLOW) <= set(await watched.asked())
    assert await watched.asked() == CHECK


async def test_settings_that_cannot_be_read(watched: Watched) -> None:
    """They are no verdict, and are asked for again soon, but not at each check."""
    server = watched.server
    server.faults.answer(404, "no", endpoint="app/preferences")
    assert await watched.check(SLOW_LOOK_SECONDS) == "ok"
    assert await watched.asked(RETRY_SECONDS - 1) == CHECK
    assert await watched.asked(1) == CHECK + SLOW
    server.faults.clear()
    assert await watched.asked(RETRY_SECONDS) == CHECK + SLOW
    assert await watched.asked(RETRY_SECONDS) == CHECK


async def test_leak_is_told_at_once(watched: Watched) -> None:
    server = watched.server
    server.network.bind("")
    server.network.detect(TUNNEL)
    assert await watched.check() == "ok"
    server.network.detect(HOME)
    watched.heard.clear()
    assert await watched.check() == "leaking"
    assert watched.heard == ["leaking", "leaking"]
    assert not watched.monitor.is_ok
    assert watched.monitor.is_answering


async def test_leak_though_the_settings_cannot_be_read(watched: Watched) -> None:
    server = watched.server
    server.network.detect(HOME)
    server.faults.cut("app/preferences")
    assert await watched.check() == "leaking"
    server.faults.clear()
    assert await watched.check() == "leaking"


async def test_leak_that_ends_while_the_settings_cannot_be_read(watched: Watched) -> None:
    """The log says only once that it listens anew: they are asked for again, and soon."""
    server = watched.server
    server.network.bind("")
    server.network.detect(HOME)
    assert await watched.check() == "leaking"
    server.faults.cut("app/preferences")
    server.network.bind("tun0")
    assert await watched.check() == "leaking"
    server.faults.clear()
    assert await watched.check(LEAKING_LOOK_SECONDS) == "ok"


async def mend(watched: Watched) -> None:
    assert watched.route is not None
    watched.route.mended()


async def bind_anew(watched: Watched) -> None:
    watched.server.network.bind("tun0")


async def restart(watched: Watched) -> None:
    await watched.server.restart()


WAYS: dict[str, Callable[[Watched], Awaitable[None]]] = {
    "said": mend,
    "bound": bind_anew,
    "restarted": restart,
}


@pytest.mark.parametrize("way", WAYS)
async def test_what_ends_a_leak(watched: Watched, way: str) -> None:
    server = watched.server
    server.network.bind("")
    server.network.detect(HOME)
    assert await watched.check() == "leaking"
    assert await watched.check() == "leaking"
    await WAYS[way](watched)
    assert await watched.check(60) == "ok"
    assert await watched.check() == "ok"
    server.network.detect(HOME)
    assert await watched.check() == "leaking"


async def test_bound_without_a_word_ends_a_leak(watched: Watched) -> None:
    """A real server that listens on the tunnel already only stops to listen elsewhere."""
    server = watched.server
    server.network.bind("")
    server.network.detect(HOME)
    assert await watched.check() == "leaking"
    server.network.interface = "tun0"
    assert await watched.check(LEAKING_LOOK_SECONDS) == "ok"
    assert await watched.asked(LEAKING_LOOK_SECONDS) == CHECK


async def test_another_address_for_a_while_ends_a_leak(watched: Watched) -> None:
    """Bound all the time: it had leaked by a tracker's second address."""
    server = watched.server
    server.network.detect(HOME)
    assert await watched.check() == "leaking"
    server.network.detect(TUNNEL)
    for passed in itertools.count(30, 30):
        status = await watched.check()
        if passed < QUIET_SECONDS:
            assert status == "leaking"
        else:
            break
    assert status == "ok"


async def test_leaking_comes_before_other_troubles(watched: Watched) -> None:
    server = watched.server
    server.network.detect(HOME)
    assert await watched.check() == "leaking"
    await server.refuse()
    assert await watched.check() == "leaking"
    assert not watched.monitor.is_answering
    await mend(watched)
    assert watched.monitor.status == "unreachable"


async def test_interface_that_is_deleted(watched: Watched) -> None:
    """4.x goes on saying that it is connected; its log tells."""
    server = watched.server
    server.network.lose("tun0")
    is_old = not server.dialect.tells_lost_interface
    assert server.connection_status == ("connected" if is_old else "disconnected")
    for _ in range(3):
        assert await watched.check() == "disconnected"
    server.network.interfaces.append("tun0")
    server.connection_status = "connected"
    if is_old:
        assert await watched.check() == "disconnected"  # it stays dead until it is bound anew
    server.network.bind("tun0")
    assert await watched.check() == "ok"


async def test_interface_that_is_deleted_without_a_route(server: TimedServer, http: Http) -> None:
    """A server that needs no VPN may be bound to an interface, too."""
    server.network.bind("tun0")
    watched = Watched(server, http, has_route=False)
    assert await watched.check(60) == "ok"
    server.network.lose("tun0")
    assert await watched.check() == "disconnected"
    server.network.interfaces.append("tun0")
    server.connection_status = "connected"
    server.network.bind("tun0")
    assert await watched.check() == "ok"


async def test_old_complaint_is_none(watched: Watched) -> None:
    """The interface is there, or it listens again, or another one is meant."""
    server = watched.server
    server.log('The configured network interface is invalid. Interface: "tun0"', 8)
    assert await watched.check() == "ok"
    server.log('The configured network interface is invalid. Interface: "tun7"', 8)
    assert await watched.check() == "ok"


async def test_missing_interface_right_after_a_start(server: TimedServer, http: Http) -> None:
    server.network.interface, server.network.address = "tun0", ""
    server.network.interfaces.remove("tun0")
    await server.restart()
    server.network.listen()
    watched = Watched(server, http)
    assert await watched.check(5) == "ok"
    assert await watched.check(40) == "disconnected"


async def test_bound_to_an_address_that_is_missing(watched: Watched) -> None:
    server = watched.server
    server.network.bind("", "198.51.100.7")
    assert await watched.check() == "ok"
    server.log("Failed to find the configured network address. Address: “198.51.100.7”", 8)
    assert await watched.check() == "disconnected"


async def test_look_that_is_new_enough(watched: Watched) -> None:
    server, monitor = watched.server, watched.monitor
    server.record.clear()
    watched.time.seconds += 5
    await monitor.look(5)
    assert not server.requests
    watched.time.seconds += 0.1
    await monitor.look(5)
    assert [one.endpoint for one in server.requests] == CHECK

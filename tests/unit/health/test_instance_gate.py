"""The gate of an instance: magnets pass after a look that began a few seconds ago at most."""

from collections.abc import Callable

import pytest

from custom_components.qbittorrent_resilient.core.health.home import HomeAddresses
from custom_components.qbittorrent_resilient.core.health.instance import InstanceMonitor
from custom_components.qbittorrent_resilient.core.health.instance_gate import (
    LOOK_SECONDS,
    InstanceGate,
    LeakingError,
)
from custom_components.qbittorrent_resilient.core.health.route import RouteMonitor
from custom_components.qbittorrent_resilient.core.qbittorrent import Client
from custom_components.qbittorrent_resilient.core.qbittorrent.errors import (
    CannotConnectError,
    GateClosedError,
    ServerError,
)
from custom_components.qbittorrent_resilient.core.qbittorrent.gate import Content
from custom_components.qbittorrent_resilient.core.qbittorrent.models import AddOptions
from tests.support.common import info_hash, link
from tests.support.core import Http, TimedServer, failure
from tests.support.routes import HOME

CHECK = ["transfer/info", "log/main"]


class Vpn:
    """A VPN that may be down, and takes its time to say so; `asked` has what it was asked."""

    def __init__(self, http: Http) -> None:
        self.up = True
        self.seconds = 0.0
        self.asked: list[Content] = []
        self.then: Callable[[], object] = lambda: None
        self._time = http.time

    async def gate(self, content: Content) -> None:
        self.asked.append(content)
        if content is Content.MAGNETS:
            self._time.seconds += self.seconds
        self.then()
        if not self.up:
            raise GateClosedError("the VPN is not up")


class Guarded:
    """A server behind the gate of its instance."""

    def __init__(self, server: TimedServer, http: Http) -> None:
        self.server, self.time, self.vpn = server, http.time, Vpn(http)
        gate = InstanceGate(self.vpn.gate)
        home = HomeAddresses(http.time.clock)
        home.tell("router", [HOME])
        self.route = RouteMonitor(home, http.time.clock)
        self.client = Client(http.connection(server, gate=gate))
        self.monitor = InstanceMonitor(
            http.settings(server), self.client, route=self.route, clock=http.time.clock
        )
        gate.watch(self.monitor)

    async def add(self, number: int = 1) -> list[str]:
        """Hand over one magnet; return what the server was asked."""
        before = len(self.server.requests)
        await self.client.add([link(number)], AddOptions())
        return [one.endpoint for one in self.server.requests[before:]]


@pytest.fixture
async def guarded(server: TimedServer, http: Http) -> Guarded:
    """Return a server that was looked at a moment ago."""
    guarded = Guarded(server, http)
    assert await guarded.monitor.check() == "ok"
    server.record.clear()
    return guarded


async def test_look_before_an_add(guarded: Guarded) -> None:
    assert await guarded.add() == ["torrents/add"]
    guarded.time.seconds += LOOK_SECONDS + 0.1
    assert await guarded.add(2) == ["app/version", *CHECK, "torrents/add"]
    assert await guarded.add(3) == ["torrents/add"]
    assert not guarded.server.logins


async def test_no_look_before_a_question(guarded: Guarded) -> None:
    guarded.time.seconds += 60
    guarded.vpn.asked.clear()
    await guarded.client.launch_time()
    assert CHECK[0] not in [one.endpoint for one in guarded.server.requests]
    assert set(guarded.vpn.asked) == {Content.QUESTION}


async def test_leak_between_check_and_add(guarded: Guarded) -> None:
    """The look finds it, nothing is sent, and the status says so at once."""
    server = guarded.server
    heard: list[object] = []
    guarded.monitor.subscribe(heard.append)
    server.network.detect(HOME)
    guarded.time.seconds += LOOK_SECONDS + 0.1
    assert await failure(guarded.add()) == ("leaking", False)
    assert not server.requests_to("torrents/add")
    assert guarded.monitor.status == heard[0] == "leaking"
    requests = len(server.requests)
    assert await failure(guarded.add()) == ("leaking", False)
    assert len(server.requests) == requests


async def test_leak_while_the_connection_is_made(guarded: Guarded) -> None:
    """The gate is asked once more before the first byte: headers have not been sent, either."""
    server = guarded.server
    guarded.vpn.asked.clear()

    def leak() -> None:
        if guarded.vpn.asked == [
            Content.QUESTION,
            Content.MAGNETS,
            Content.QUESTION,
        ]:  # the first question has been answered
            server.network.detect(HOME)
            guarded.time.seconds += LOOK_SECONDS + 0.1

    guarded.vpn.then = leak
    assert await failure(guarded.add()) == ("leaking", False)
    assert not server.requests_to("torrents/add")
    assert guarded.vpn.asked[:3] == [Content.QUESTION, Content.MAGNETS, Content.QUESTION]


async def test_vpn_is_asked_last(guarded: Guarded) -> None:
    guarded.time.seconds += 60
    guarded.vpn.asked.clear()
    await guarded.add()
    assert guarded.vpn.asked[0] is Content.QUESTION
    assert guarded.vpn.asked[-1] is Content.MAGNETS


async def test_vpn_that_takes_long_to_answer(guarded: Guarded) -> None:
    """Then the look is old, and is done again; but not for ever."""
    guarded.vpn.seconds = LOOK_SECONDS + 1
    assert set(await guarded.add()) == {*CHECK, "torrents/add"}


async def test_vpn_down(guarded: Guarded) -> None:
    guarded.time.seconds += 60
    guarded.vpn.up = False
    assert await failure(guarded.add()) == ("vpn_down", False)
    assert not guarded.server.requests


@pytest.mark.parametrize("endpoint", CHECK)
async def test_look_that_fails(guarded: Guarded, endpoint: str) -> None:
    """Nothing was sent, and that is certain, though the question may have arrived."""
    guarded.time.seconds += 60
    guarded.server.faults.cut(endpoint)
    assert await failure(guarded.add()) == ("unreachable", False)
    assert not guarded.server.requests_to("torrents/add")
    guarded.server.faults.clear()
    assert "torrents/add" in await guarded.add()


async def test_look_that_fails_in_the_middle_of_an_add(guarded: Guarded) -> None:
    guarded.vpn.asked.clear()

    def cut() -> None:
        if guarded.vpn.asked == [Content.QUESTION, Content.MAGNETS, Content.QUESTION]:
            guarded.server.faults.cut("log/main")
            guarded.time.seconds += LOOK_SECONDS + 0.1

    guarded.vpn.then = cut
    assert await failure(guarded.add()) == ("unreachable", False)
    assert not guarded.server.requests_to("torrents/add")


@pytest.mark.usefixtures("impatient")
async def test_one_silent_look_is_no_verdict(guarded: Guarded) -> None:
    """The failed look is a check, and is not counted twice when the delivery reports it."""
    guarded.time.seconds += 60
    guarded.server.faults.hang("transfer/info")
    with pytest.raises(ServerError) as caught:
        await guarded.add()
    guarded.monitor.report_failure(caught.value)
    assert guarded.monitor.status == "ok"
    assert guarded.monitor.in_doubt
    with pytest.raises(ServerError) as caught:
        await guarded.add()
    guarded.monitor.report_failure(caught.value)
    assert guarded.monitor.status == "timeout"


async def test_session_that_ended_before_the_look(guarded: Guarded) -> None:
    """The look logs in, and the add goes with the new session."""
    guarded.time.seconds += 60
    guarded.server.expire_sessions()
    await guarded.add()
    assert len(guarded.server.logins) == 1
    assert info_hash(1) in guarded.server.hashes


async def test_errors(guarded: Guarded) -> None:
    assert issubclass(LeakingError, GateClosedError)
    guarded.monitor.report_failure(LeakingError("x"))
    assert guarded.monitor.status == "ok"
    guarded.monitor.report_failure(CannotConnectError("x"))
    assert guarded.monitor.status == "unreachable"

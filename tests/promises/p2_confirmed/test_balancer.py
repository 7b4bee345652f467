"""Behind a balancer whose cookie changes with every answer, at a server without login."""

from itertools import count

from homeassistant.core import HomeAssistant
import pytest

from tests.support.actions import add, call, work
from tests.support.common import FakeClock, Start, info_hash, instance, link
from tests.support.fake.answer import Answer
from tests.support.fake.dialect import Dialect
from tests.support.fake.record import Received
from tests.support.fake.server import FakeQBittorrent

pytestmark = pytest.mark.usefixtures("socket_enabled", "vpn")


def balanced(server: FakeQBittorrent) -> None:
    """Let a cookie of the balancer's come with every answer but that which opens a session."""
    handle, numbers = server.api.handle, count()

    def answer(received: Received) -> Answer:
        given = handle(received)
        given.headers.setdefault("Set-Cookie", f"balance=s{next(numbers)}; Path=/; HttpOnly")
        return given

    server.api.handle = answer  # type: ignore[method-assign]


@pytest.mark.parametrize("lost", [False, True], ids=["deleted", "lost"])
async def test_what_is_missing(
    hass: HomeAssistant, start: Start, clock: FakeClock, dialect: Dialect, *, lost: bool
) -> None:
    """What the user deleted stays deleted, and what a restart lost is delivered again."""
    async with FakeQBittorrent(dialect, local_host_auth=False) as server:
        balanced(server)
        entry = await start(instance("first", server))
        assert len((await add(hass, link(1), link(2)))["added"]) == 2
        clock.tick(10)
        if lost:
            await server.restart(keep="none")
            server.launch_time = int(clock.make().now()) - 5
        else:
            server.torrents.delete([info_hash(1)])
        for _ in range(5):
            clock.tick(31)
            await call(hass, "check_health")
            await work(entry)
        assert server.hashes == ({info_hash(1), info_hash(2)} if lost else {info_hash(2)})

"""A server that is upgraded, or merely restarted, before it has saved what it was given."""

from itertools import pairwise

from homeassistant.core import HomeAssistant
import pytest

from tests.support.actions import add, call, status_of, work
from tests.support.common import FakeClock, Start, info_hash, instance, link
from tests.support.fake.dialect import DIALECTS, V4_5, V5_1, V5_3, Dialect
from tests.support.fake.server import FakeQBittorrent

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.mark.parametrize(
    ("old", "new"),
    [*pairwise(DIALECTS), (V5_1, V5_1), (V4_5, V5_1), (V5_1, V5_3), (V4_5, V5_3), (V5_3, V5_1)],
    ids=lambda one: one.label,
)
@pytest.mark.parametrize("bypass", [True, False])
async def test_lost_in_an_upgrade(
    hass: HomeAssistant, start: Start, clock: FakeClock, old: Dialect, new: Dialect, *, bypass: bool
) -> None:
    """It is delivered again, also where no log-in is needed, and only a cookie tells."""
    async with FakeQBittorrent(old) as before:
        before.settings.local_host_auth = not bypass
        port, settings = before.port, before.settings
        entry = await start(instance("first", before))
        assert (await add(hass, link(1)))["added"]
    clock.tick(10)
    async with FakeQBittorrent(new, port=port) as after:
        after.settings = after.access._settings = settings
        after.launch_time = int(clock.make().now()) - 3
        for _ in range(4):
            clock.tick(31)
            await call(hass, "check_health")
            await work(entry)
        assert status_of(hass, "first") == "ok"
        assert after.hashes == {info_hash(1)}
        assert bool(after.logins) is not bypass
        assert entry.runtime_data.instances["first"].monitor.client.version == new.name


async def test_lost_in_a_downgrade_that_ends_no_session(
    hass: HomeAssistant, start: Start, clock: FakeClock
) -> None:
    """An API key begins no session: that the launch time is told no more is the only sign."""
    async with FakeQBittorrent(V5_3) as before:
        before.settings.local_host_auth = False
        key = before.new_api_key()
        port, settings = before.port, before.settings
        entry = await start(instance("first", before, password="", api_key=key))
        assert (await add(hass, link(1)))["added"]
    clock.tick(60)
    async with FakeQBittorrent(V5_1, port=port) as after:
        after.settings = after.access._settings = settings
        for _ in range(3):
            clock.tick(31)
            await work(entry)
        assert after.hashes == {info_hash(1)}

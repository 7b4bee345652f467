"""ICMP is not permitted, from the start or from some moment on, and then it is again."""

from collections.abc import Iterator
import contextlib

from homeassistant.core import HomeAssistant
import pytest

from tests.live.common import until
from tests.live.vpn_stage import seconds_until_state
from tests.support.actions import add, hashes
from tests.support.common import Start, info_hash, instance, link
from tests.support.fake.server import FakeQBittorrent
from tests.support.harness.process import UnavailableError
from tests.support.harness.vpn_permission import no_raw_sockets

TARGET = "127.0.0.1"
OFTEN = {"scan_interval": 1}


@contextlib.contextmanager
def not_permitted() -> Iterator[None]:
    """Have the kernel refuse, or skip."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(no_raw_sockets())
        except UnavailableError as err:
            pytest.skip(str(err))
        yield


async def is_delivered(hass: HomeAssistant, server: FakeQBittorrent, *numbers: int) -> None:
    """Wait until all by itself the VPN is up again and these magnets are where they belong."""
    await seconds_until_state(hass, "on", 5)
    await until(lambda: server.hashes == {info_hash(number) for number in numbers})


@pytest.mark.usefixtures("often")
async def test_not_permitted_from_the_start(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, caplog: pytest.LogCaptureFixture
) -> None:
    with not_permitted():
        await start(instance("first", primary, requires_vpn=True), targets=(TARGET,), options=OFTEN)
        await seconds_until_state(hass, "unknown", 5)
        response = await add(hass, link(1), wait_for_vpn=2)
        assert response["health"] == {"vpn": "unknown", "instances": {"First": "vpn_down"}}
        assert hashes(response["queued"]) == [info_hash(1)]
        assert primary.record.connections == 0
        assert caplog.text.count("permits no ICMP socket") == 1
    await is_delivered(hass, primary, 1)


@pytest.mark.usefixtures("often")
async def test_permission_lost_while_running(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, caplog: pytest.LogCaptureFixture
) -> None:
    await start(instance("first", primary, requires_vpn=True), targets=(TARGET,), options=OFTEN)
    await seconds_until_state(hass, "on", 5)
    await add(hass, link(1))
    with not_permitted():
        await seconds_until_state(hass, "unknown", 5)
        requests = len(primary.requests)
        response = await add(hass, link(2))
        assert response["queued"][0]["reason"] == "vpn_down"
        assert len(primary.requests) == requests
        assert caplog.text.count("permits no ICMP socket") == 1
    await is_delivered(hass, primary, 1, 2)

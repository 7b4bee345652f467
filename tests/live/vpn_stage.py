"""What the live tests of the VPN share: a namespace, and a look at the sensor."""

import asyncio
from collections.abc import Callable, Iterator
import contextlib
import time

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.errors import PingNotPermittedError
from custom_components.qbittorrent_resilient.core.health.ping import IcmpPing
from tests.support.harness.process import UnavailableError
from tests.support.harness.vpn import Vpn

SENSOR = "binary_sensor.qbittorrent_resilient_vpn"
makes_tunnels = pytest.mark.xdist_group("network")
"""A tunnel's interfaces come and go, at which a browser drops what it is loading."""


@contextlib.contextmanager
def tunnel() -> Iterator[Vpn]:
    """Give a VPN that is a network namespace, or skip where there can be none."""
    try:
        vpn = Vpn()
    except UnavailableError as err:
        pytest.skip(str(err))
    with vpn:
        yield vpn


async def allowed_ping() -> IcmpPing:
    """Return a ping, or skip where the kernel permits none."""
    ping = IcmpPing()
    try:
        await ping.kind()
    except PingNotPermittedError as err:
        pytest.skip(str(err))
    return ping


async def seconds_until(condition: Callable[[], object], limit: float) -> float:
    """Wait until something is so, and return how long it took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < limit, "waited in vain"
        await asyncio.sleep(0.02)
    return time.monotonic() - begun


async def seconds_until_state(hass: HomeAssistant, state: str, limit: float) -> float:
    """Wait for a state of the VPN's sensor, and return how long it took."""
    return await seconds_until(lambda: hass.states.is_state(SENSOR, state), limit)

"""Real outages of a real tunnel, seen through the sensor of Home Assistant in real time."""

from collections.abc import Callable, Iterator
import os

from homeassistant.core import HomeAssistant
import pytest

from tests.live.vpn_stage import makes_tunnels, seconds_until_state, tunnel
from tests.support.common import Start
from tests.support.harness.vpn import Vpn

pytestmark = makes_tunnels

SCAN_SECONDS = int(os.environ.get("VPN_SCAN_SECONDS", "2"))
"""The time between checks; short, as only that part of the bound depends on it."""
REPROBES_SECONDS = 10
"""What an outage may take beyond that."""
KINDS: dict[str, tuple[Callable[[Vpn], None], Callable[[Vpn], None]]] = {
    "link down": (Vpn.down, Vpn.up),
    "silent gateway": (Vpn.silence, Vpn.answer),
    "far host gone": (Vpn.gone, Vpn.back),
}


@pytest.fixture
def vpn_tunnel() -> Iterator[Vpn]:
    """Give a VPN."""
    with tunnel() as vpn:
        yield vpn


@pytest.mark.timeout(60 + 3 * SCAN_SECONDS)
@pytest.mark.parametrize("kind", KINDS)
async def test_outage_and_recovery(
    hass: HomeAssistant, start: Start, vpn_tunnel: Vpn, kind: str
) -> None:
    """The sensor follows within the time promised, and both edges are seen without any call."""
    fall, rise = KINDS[kind]
    await start(targets=(vpn_tunnel.target,), options={"scan_interval": SCAN_SECONDS})
    await seconds_until_state(hass, "on", 5)
    fall(vpn_tunnel)
    down = await seconds_until_state(hass, "off", SCAN_SECONDS + REPROBES_SECONDS)
    rise(vpn_tunnel)
    up = await seconds_until_state(hass, "on", SCAN_SECONDS + REPROBES_SECONDS)
    print(f"{kind}: off after {down:.1f} s, on again after {up:.1f} s, interval {SCAN_SECONDS} s")

"""Real rounds through a tunnel that loses echoes: does the verdict ever change?

Run it as root: python -m tools.bench.vpn_loss --minutes 5. Several monitors share the tunnel, each
with rounds as fast as it can; only the pauses between rounds are left out.
"""

import argparse
import asyncio
from dataclasses import dataclass, field
import random
import time

from custom_components.qbittorrent_resilient.core.health.ping import IcmpPing
from custom_components.qbittorrent_resilient.core.health.probe import Echoes
from custom_components.qbittorrent_resilient.core.health.status import VpnState
from custom_components.qbittorrent_resilient.core.health.vpn import VpnMonitor, VpnReading
from tests.support.harness.vpn import Vpn


@dataclass
class Tally:
    """What was seen; `verdicts` has the changes after the first `on`."""

    rounds: int = 0
    silent_rounds: int = 0
    echoes: int = 0
    answers: int = 0
    verdicts: list[str] = field(default_factory=list)
    slowest: float = 0.0

    @property
    def lost_percent(self) -> float:
        """Return how many echoes were left without an answer."""
        return 100 * (1 - self.answers / self.echoes)

    def __str__(self) -> str:
        return (
            f"{self.rounds} rounds ({self.silent_rounds} silent), {self.echoes} echoes, "
            f"{self.lost_percent:.1f} % lost, slowest round {self.slowest:.2f} s, "
            f"verdict changes: {len(self.verdicts)} {self.verdicts}"
        )


async def measure(vpn: Vpn, seconds: float, monitors: int, tally: Tally) -> None:
    """Do rounds for so long, with so many monitors at once."""
    ping = IcmpPing()

    async def counted(target: str) -> Echoes:
        echoes = await ping(target)
        tally.echoes += echoes.sent
        tally.answers += len(echoes.round_trips)
        return echoes

    async def watch() -> None:
        monitor = VpnMonitor([vpn.target], counted)
        before: VpnReading | None = None
        while time.monotonic() < end:
            begun = time.monotonic()
            reading = await monitor.round()
            tally.slowest = max(tally.slowest, time.monotonic() - begun)
            tally.rounds += 1
            tally.silent_rounds += reading.latency is None
            if before is not None and before.state is not reading.state:
                if before.state is not VpnState.UNKNOWN:
                    tally.verdicts.append(f"{before.state} -> {reading.state}")
            before = reading

    end = time.monotonic() + seconds
    await asyncio.gather(*(watch() for _ in range(monitors)))


def main() -> None:
    """Read the command line, and measure."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.vpn_loss")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--percent", type=int, default=20, help="of echoes that are lost")
    parser.add_argument("--monitors", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    tally = Tally()
    with Vpn() as vpn:
        vpn.lose(options.percent, options.seed)
        asyncio.run(measure(vpn, options.minutes * 60, options.monitors, tally))
    print(tally)


if __name__ == "__main__":
    main()

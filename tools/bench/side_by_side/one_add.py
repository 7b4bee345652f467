"""One magnet a call: how long that takes, and the bare steps of the same beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
import time

from tests.support.harness.home_assistant import DOMAIN

from .adding import STEPS
from .figures import Beside, Goal, Samples, milliseconds
from .parts import Magnets, Raw, bare_steps
from .wire import Wire


@dataclass
class OneAdd:
    """Adds one magnet after the other, in turns with the bare steps where there are servers.

    `servers` are all that are looked at; the magnets go to the first of them.
    """

    wire: Wire
    scratch: Path
    magnets: Magnets
    servers: Sequence[Raw] = ()
    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)

    async def measure(self, rounds: int) -> None:
        """Add some; what is done once in a life is not measured."""
        for number in range(rounds + 1):
            begun = time.perf_counter()
            await add(self.wire, self.magnets.new(1))
            between = time.perf_counter()
            if self.servers:
                await bare_steps(self.wire, self.servers, self.magnets.new(1), self.scratch)
            if number:
                self.ours.append(between - begun)
                self.bare.append(time.perf_counter() - between)

    @property
    def samples(self) -> Samples:
        """Return how long ours took."""
        return milliseconds(self.ours)

    @property
    def beside(self) -> list[Beside]:
        """Return the bare steps."""
        return [Beside(STEPS, milliseconds(self.bare))] if self.servers else []


async def add(wire: Wire, magnets: dict[str, str]) -> None:
    """Add magnets in one call, all of which have to arrive."""
    links = {"magnets": list(magnets.values())}
    response = await wire.call(DOMAIN, "add_magnets", links)
    assert len(response["added"]) == len(magnets), response


def beside_least(name: str, ours: Samples, least: Samples, limit: float) -> Beside:
    """Return the same with the least there is, and the goal to be nearly as fast."""
    met = ours.median <= limit * least.median
    return Beside(name, least, Goal(f"≤ {limit:g} ×", met))

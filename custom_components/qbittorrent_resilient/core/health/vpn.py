"""The VPN's targets as a witness: hosts that answer only while the VPN is up.

A round asks every target; any answer makes it a success. With one target and 20 % loss, a round
fails with a probability of 0.2³, three in a row with 5·10⁻⁷, which is once in two years at a round
every 30 s; with two targets it is 3·10⁻¹³.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import override

from ..clock import Clock
from ..errors import PingNotPermittedError
from .probe import Echoes, NoAnswer, Probe, all_of
from .status import VpnState
from .witness import Opinion, Witness

NOT_PERMITTED = "this host permits no ICMP socket"
_WORDS = {
    NoAnswer.NOT_RESOLVED: "its address is not known",
    NoAnswer.SILENT: "no answer",
    NoAnswer.REFUSED: "the connection was refused",
    NoAnswer.UNREACHABLE: "there is no way to it",
}


@dataclass(frozen=True, slots=True)
class VpnReading:
    """The verdict, and the last round: mean round trip in ms (None: no answer), loss in percent.

    `faults` are in the order of the targets; None stands for one that answered. They are empty
    before the first round, and where ICMP was not permitted.
    """

    state: VpnState
    latency: float | None = None
    loss: float | None = None
    permitted: bool = True
    faults: tuple[NoAnswer | None, ...] = ()

    @property
    def verdict(self) -> tuple[VpnState, bool]:
        """Return state and permission, which do not change from round to round."""
        return self.state, self.permitted


class VpnMonitor(Witness[VpnReading]):
    """Judges the VPN by its targets; without targets there is nothing to judge."""

    def __init__(
        self,
        targets: Sequence[str],
        probe: Probe,
        *,
        failures_before_down: int = 3,
        successes_before_up: int = 2,
        clock: Clock | None = None,
    ) -> None:
        """Watch `targets`, hosts or ports that answer only while the VPN is up."""
        self.targets = tuple(targets)
        self._probe = probe
        self._answers: list[Echoes] = []
        self._permitted = True
        super().__init__(
            failures_before_down=failures_before_down,
            successes_before_up=successes_before_up,
            clock=clock,
        )

    @property
    @override
    def reasons(self) -> Mapping[str, str]:
        """Return the targets that did not answer the last round, and why."""
        if not self.reading.permitted:
            return dict.fromkeys(self.targets, NOT_PERMITTED)
        faults = zip(self.targets, self.reading.faults, strict=False)
        return {target: _WORDS[fault] for target, fault in faults if fault is not None}

    @override
    async def _ask(self) -> Opinion:
        """Ask every target at the same time."""
        try:
            self._answers = await all_of(self._probe(target) for target in self.targets)
        except PingNotPermittedError:
            self._answers, self._permitted = [], False
            return Opinion.VOID
        self._permitted = True
        return Opinion.GOOD if any(one.answered for one in self._answers) else Opinion.BAD

    @override
    def _read(self, state: VpnState) -> VpnReading:
        trips = [trip for answer in self._answers for trip in answer.round_trips]
        sent = sum(answer.sent for answer in self._answers)
        return VpnReading(
            state,
            latency=round(sum(trips) / len(trips), 2) if trips else None,
            loss=round(100 * (1 - len(trips) / sent), 1) if sent else None,
            permitted=self._permitted,
            faults=tuple(answer.no_answer for answer in self._answers),
        )

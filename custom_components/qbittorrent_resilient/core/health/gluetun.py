"""A gluetun as a witness: whether it says that its tunnel is up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, override

from ..clock import Clock
from ..gluetun import GluetunLook, TunnelState
from .status import VpnState
from .witness import Opinion, Witness

_OPINIONS = {
    TunnelState.UP: Opinion.GOOD,
    TunnelState.DOWN: Opinion.BAD,
    TunnelState.RUNNING: Opinion.NONE,
    TunnelState.SILENT: Opinion.SILENT,
    TunnelState.REFUSED: Opinion.VOID,
    TunnelState.FOREIGN: Opinion.VOID,
}
_WORDS = {
    TunnelState.RUNNING: "gluetun runs, and knows no public address",
    TunnelState.SILENT: "gluetun does not answer",
    TunnelState.REFUSED: "gluetun refuses the credentials",
    TunnelState.FOREIGN: "what answers is not gluetun's control server",
}


class Control(Protocol):
    """What answers for the tunnel: gluetun's control server."""

    async def look(self) -> GluetunLook:
        """Ask once, in a short time; every failure is a state."""


@dataclass(frozen=True, slots=True)
class GluetunReading:
    """The verdict, and what the last look saw; None before the first."""

    state: VpnState
    look: GluetunLook | None = None

    @property
    def tunnel(self) -> TunnelState | None:
        """Return what the last look saw of the tunnel."""
        return None if self.look is None else self.look.state

    @property
    def is_misled(self) -> bool:
        """Tell whether the user has to mend the address or the credentials."""
        return self.tunnel in (TunnelState.REFUSED, TunnelState.FOREIGN)

    @property
    def verdict(self) -> tuple[VpnState, bool]:
        """Return the state, and whether it waits for the user."""
        return self.state, self.is_misled

    @property
    def reason(self) -> str | None:
        """Return in plain words why the last look did not see the tunnel up."""
        if self.look is None or self.look.state is TunnelState.UP:
            return None
        return _WORDS.get(self.look.state, f"gluetun says {self.look.word}")


class GluetunMonitor(Witness[GluetunReading]):
    """Judges the tunnel of one gluetun, which is that of one instance."""

    def __init__(
        self,
        name: str,
        control: Control,
        *,
        failures_before_down: int = 3,
        successes_before_up: int = 2,
        clock: Clock | None = None,
    ) -> None:
        """Ask `control`; `name` is that of the instance."""
        self.name = name
        self._control = control
        self._look: GluetunLook | None = None
        super().__init__(
            failures_before_down=failures_before_down,
            successes_before_up=successes_before_up,
            clock=clock,
        )

    @property
    def public_ip(self) -> str | None:
        """Return the exit's address as the last look saw it, or None."""
        return None if self.reading.look is None else self.reading.look.public_ip

    @property
    @override
    def reasons(self) -> Mapping[str, str]:
        """Return why the last look did not see the tunnel up, under this gluetun's name."""
        reason = self.reading.reason
        return {} if reason is None else {f"gluetun of {self.name}": reason}

    @override
    async def _ask(self) -> Opinion:
        self._look = await self._control.look()
        return _OPINIONS[self._look.state]

    @override
    def _read(self, state: VpnState) -> GluetunReading:
        return GluetunReading(state, self._look)

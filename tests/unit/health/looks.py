"""A control server of gluetun that follows a pattern of looks."""

from collections.abc import Iterable

from custom_components.qbittorrent_resilient.core.gluetun import GluetunLook, TunnelState
from tests.support.core import Time

IP = "198.51.100.7"
LOOKS = {
    "+": GluetunLook(TunnelState.UP, IP, "running"),
    "-": GluetunLook(TunnelState.DOWN, word="stopped"),
    "r": GluetunLook(TunnelState.RUNNING, word="running"),
    "s": GluetunLook(TunnelState.SILENT),
    "x": GluetunLook(TunnelState.REFUSED),
    "f": GluetunLook(TunnelState.FOREIGN),
}


class Control:
    """A control server: each look takes the next of the pattern, the last one for good."""

    def __init__(self, pattern: Iterable[str], time: Time | None = None) -> None:
        self.pattern = list(pattern)
        self.looks = 0
        self.at: list[float] = []
        self._time = time

    async def look(self) -> GluetunLook:
        self.looks += 1
        if self._time is not None:
            self.at.append(self._time.seconds)
        one = self.pattern.pop(0) if len(self.pattern) > 1 else self.pattern[0]
        return LOOKS[one]

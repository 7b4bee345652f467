"""The gate of one instance that requires the VPN: what passes it, and what it looks at before.

Magnets pass while the VPN is up, and a look at the server that began a few seconds ago at most has
not found that its torrents leave by the home line.
"""

from typing import Protocol

from ..qbittorrent.errors import GateClosedError
from ..qbittorrent.gate import Content, Gate

LEAKS = "its torrents leave by the home line"
LOOK_SECONDS = 5.0
"""How long ago the last look may have begun when magnets are sent."""


class LeakingError(GateClosedError):
    """The instance is known to leak: magnets were not sent to it."""


class Watched(Protocol):
    """What the gate has to know of the instance."""

    @property
    def is_leaking(self) -> bool:
        """Tell whether its torrents leave by the home line."""

    def has_looked_within(self, seconds: float) -> bool:
        """Tell whether the last good look began within so many seconds."""

    async def look(self, seconds: float) -> None:
        """Look, unless the last look is that new; raises the ServerError that it met."""


class InstanceGate:
    """Asks the VPN's gate, and for magnets the instance's monitor, too."""

    def __init__(self, vpn_gate: Gate) -> None:
        """Let magnets pass by the VPN alone, until there is a monitor to ask."""
        self._vpn_gate = vpn_gate
        self._instance: Watched | None = None

    def watch(self, instance: Watched) -> None:
        """Ask this monitor from now on; its own requests pass this gate, too."""
        self._instance = instance

    async def __call__(self, content: Content) -> None:
        """Raise GateClosedError, or what the look met, if a request may not be sent now.

        The VPN is asked last, as its proof is older sooner than that of the look.
        """
        await self._vpn_gate(Content.QUESTION if content is Content.MAGNETS else content)
        if content is not Content.MAGNETS:
            return
        if (instance := self._instance) is None:
            await self._vpn_gate(Content.MAGNETS)
            return
        for _ in range(2):  # a VPN in doubt takes longer to settle than a look stays new
            _refuse_if_leaking(instance)
            await instance.look(LOOK_SECONDS)
            _refuse_if_leaking(instance)
            await self._vpn_gate(Content.MAGNETS)
            _refuse_if_leaking(instance)
            if instance.has_looked_within(LOOK_SECONDS):
                return


def _refuse_if_leaking(instance: Watched) -> None:
    if instance.is_leaking:
        raise LeakingError(LEAKS)

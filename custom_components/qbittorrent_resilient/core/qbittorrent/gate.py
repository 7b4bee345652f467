"""The gate that every request to a server behind a VPN passes, and magnets twice."""

from typing import Protocol


class Gate(Protocol):
    """Decides whether a request may be sent now."""

    async def __call__(self, *, handing_over: bool) -> None:
        """Raise InstanceError where it may not; `handing_over` marks requests with magnets."""

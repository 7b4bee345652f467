"""The gate: requests to a server that requires the VPN pass it, those with magnets twice."""

from enum import Enum
from typing import Protocol


class Content(Enum):
    """What a request holds: the more it tells, the more the gate wants to know before."""

    QUESTION = "question"
    """No more than the health check of a server that is known to be up."""
    SECRET = "secret"  # noqa: S105  # no password
    """Info-hashes, or credentials for a server that is not known to be up."""
    MAGNETS = "magnets"


class Gate(Protocol):
    """Decides whether a request may be sent now."""

    async def __call__(self, content: Content) -> None:
        """Raise GateClosedError, or another ServerError, if it may not: it is not sent, then."""

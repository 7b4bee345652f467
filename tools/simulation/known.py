"""What the oracle knows of magnets, and how instances are configured."""

from dataclasses import dataclass
from urllib.parse import urlsplit

PASSKEY = "0passkey0"
"""In the tracker of each magnet, and in each web link."""


@dataclass(frozen=True)
class Plan:
    """How one instance is configured at the moment."""

    key: str
    server: int
    priority: int
    requires_vpn: bool
    url: str = ""
    password: str = ""
    api_key: str = ""
    by_address: bool = False
    """The user wrote an address in place of a name, which does not follow a server that moves."""
    by_key: bool = False

    @property
    def host(self) -> str:
        """Return the name or address in the URL."""
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True)
class Removed:
    """An instance that was removed, to be set up again."""

    plan: Plan
    at: float
    maybe_there: frozenset[str]
    """The info-hashes of what was not done with, and may be on its server."""


@dataclass
class Known:
    """What the oracle has to know of one magnet."""

    given: float
    """When it was last given by the user (loop seconds)."""
    require_vpn: bool = False
    on_disk: bool = False
    unkept: bool = False
    removed: float | None = None
    """When the user removed or deleted it; what comes later is a resurrection."""
    may_be_twice: bool = False
    """It is not promised any more that a second copy is said; what the user removes from the queue
    while two servers may have it already is followed no further."""
    may_be_lost: bool = False
    only: frozenset[int] | None = None
    """The servers that its calls named; None stands for all."""
    is_remembered: bool = False
    """It was given again a short while after it was delivered, and is not to be sent again."""
    deleted_in: int | None = None
    """The storm in which the user deleted it from a server that may not have saved it."""
    said: bool = False

    @property
    def must_be_somewhere(self) -> bool:
        """Tell whether it was accepted, and nobody has given it up since."""
        given_up = self.removed is not None or self.unkept or self.may_be_lost
        return self.on_disk and not given_up


class Violation(AssertionError):
    """A promise was broken."""

"""What was given to Home Assistant, and where it has to be: the oracle."""

from collections.abc import Collection
from dataclasses import dataclass, field
import hashlib


def info_hash(number: int) -> str:
    """Return a hash that belongs to no torrent."""
    text = f"qBittorrent Resilient soak: {number}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def link(key: str) -> str:
    """Return the magnet of a hash; its tracker is a port on which nobody listens."""
    return f"magnet:?xt=urn:btih:{key}&dn=soak-{key[:8]}&tr=http%3A%2F%2F127.0.0.1%3A9%2Fannounce"


@dataclass(frozen=True)
class Look:
    """Where everything is, at one moment."""

    queued: Collection[str]
    failed: Collection[str]
    primary: Collection[str]
    secondary: Collection[str]


@dataclass
class Books:
    """Every magnet so far; what went wrong with one is counted once."""

    given: list[str] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    twice: set[str] = field(default_factory=set)
    unbooked: set[str] = field(default_factory=set)

    @property
    def good(self) -> bool:
        """Return whether nothing went wrong."""
        return not (self.lost or self.twice or self.unbooked)

    def new(self, count: int) -> list[str]:
        """Make up magnets that nobody has had yet."""
        first = len(self.given)
        made = [info_hash(number) for number in range(first, first + count)]
        self.given += made
        return made

    def accept(self, keys: Collection[str]) -> None:
        """Note that Home Assistant is answerable for these from now on."""
        self.accepted |= set(keys) & set(self.given)

    def missing(self, look: Look) -> set[str]:
        """Return what was accepted and is nowhere."""
        somewhere = {*look.queued, *look.failed, *look.primary, *look.secondary}
        return self.accepted - somewhere - self.lost

    def doubled(self, look: Look) -> set[str]:
        """Return what is on both servers."""
        return set(look.primary) & set(look.secondary) - self.twice

    def smuggled(self, look: Look) -> set[str]:
        """Return what reached a server without having been on disk before."""
        return {*look.primary, *look.secondary} - self.accepted - self.unbooked

    def judge(self, look: Look) -> str:
        """Count what is wrong, and return it in words."""
        found = {
            "lost": self.missing(look),
            "on both": self.doubled(look),
            "sent before it was on disk": self.smuggled(look),
        }
        self.lost |= found["lost"]
        self.twice |= found["on both"]
        self.unbooked |= found["sent before it was on disk"]
        return "; ".join(
            f"{what}: {' '.join(sorted(keys))}" for what, keys in found.items() if keys
        )

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
    """Every magnet so far; what went wrong with one is counted once.

    `lost` and `twice` are what a user suffers. `unbooked` (a server was asked for it, or got it,
    before it was on disk) and `unnoted` (it was sent before it was on disk where to) are what leads
    there: they are seen on the wire at once, whereas the harm takes a crash at the wrong moment.
    """

    given: list[str] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    twice: set[str] = field(default_factory=set)
    unbooked: set[str] = field(default_factory=set)
    unnoted: set[str] = field(default_factory=set)
    first_wrong: dict[str, int] = field(default_factory=dict)
    """After how many kills each kind of fault was first seen."""

    @property
    def good(self) -> bool:
        """Return whether nothing went wrong."""
        return not (self.harm or self.unbooked or self.unnoted)

    @property
    def harm(self) -> set[str]:
        """Return what a user would complain of."""
        return self.lost | self.twice

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

    def judge(
        self,
        look: Look,
        kills: int,
        *,
        early: Collection[str] = (),
        unnoted: Collection[str] = (),
    ) -> str:
        """Count what is wrong, and return it in words; the last two were seen on the wire."""
        found = {
            "lost": (self.lost, self.missing(look)),
            "on both": (self.twice, self.doubled(look)),
            "at a server before on disk": (
                self.unbooked,
                self.smuggled(look) | (set(early) - self.unbooked),
            ),
            "sent before it was noted where to": (self.unnoted, set(unnoted) - self.unnoted),
        }
        for what, (known, new) in found.items():
            known |= new
            if new:
                self.first_wrong.setdefault(what, kills)
        return "; ".join(
            f"{what}: {' '.join(sorted(new))}" for what, (_, new) in found.items() if new
        )

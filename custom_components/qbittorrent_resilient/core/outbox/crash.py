"""What is known of a server that went down right after it was sent a magnet.

Some magnets crash some servers. A server that goes down is no proof of that: its user may restart
it, and a network may be cut. So it has to come back as another process, without the magnet, and
do so three times after it was sent that magnet alone.
"""

from collections.abc import Mapping
from copy import replace
from typing import Any, NamedTuple

from ..qbittorrent.incarnation import Incarnation

CRASHES = 3
"""After so many crashes, each after a request with this magnet alone, it is not sent any more."""
ALONE_SECONDS = 900.0
"""How long other magnets of the request that a server went down after wait for that server."""
LOSSES = 3
"""What a server lost so often, each time after it had listed it, may be what crashes it."""
PAUSE_SECONDS = 15.0
"""Between a crash after a magnet alone, or any other delivery, and its next try: what was delivered
has the time to be saved, and a server that crashes without it, too, has the time to do so."""


class Crash(NamedTuple):
    """The last time that an instance went down right after it was sent a magnet.

    `instance` is its key, `at` is when (epoch seconds). `alone`: nothing else was in the request.
    `is_open`: it is not known yet whether it was restarted. `process` is the one that went down.
    `crashes` is how often it crashed after this magnet alone.
    """

    instance: str
    at: float
    alone: bool = False
    is_open: bool = True
    crashes: int = 0
    process: Incarnation = Incarnation()

    @property
    def is_proven(self) -> bool:
        """Tell whether it crashed so often that the magnet is the reason."""
        return self.crashes >= CRASHES

    def allows(self, instance: str, now: float) -> bool:
        """Tell whether the magnet may be sent to the instance with this key now.

        To no other one: that would crash, too. But most magnets of such a request are harmless, so
        those that were never alone go on at last.
        """
        if instance != self.instance:
            return not self.crashes and now >= self.at + ALONE_SECONDS
        return not self.is_proven and (not self.crashes or now >= self.at + PAUSE_SECONDS)

    def confirmed(self) -> Crash:
        """Return it once the instance has come back as another process, without the magnet."""
        return replace(self, is_open=False, crashes=self.crashes + self.alone)

    def retried(self) -> Crash:
        """Return it once the user wants another try; one that fails is then the last."""
        return replace(self, is_open=False, crashes=min(self.crashes, CRASHES - 1))


def after_going_down(
    before: Crash | None, instance: str, at: float, *, alone: bool, process: Incarnation
) -> Crash:
    """Return what is known once an instance went down right after it was sent a magnet."""
    known = before.crashes if before is not None and before.instance == instance else 0
    return Crash(instance, at, alone=alone, crashes=known, process=process)


def after_loss(before: Crash | None, instance: str, at: float, *, alone: bool) -> Crash:
    """Return what is known once an instance has crashed some time after it listed a magnet."""
    known = before.crashes if before is not None and before.instance == instance else 0
    return Crash(instance, at, alone=alone, is_open=False, crashes=known + alone)


def after_return(crash: Crash, process: Incarnation) -> Crash | None:
    """Return what is known once the instance is back, without the magnet; None for nothing.

    The same process was merely out of reach.
    """
    if process.differs_from(crash.process):
        return crash.confirmed()
    return replace(crash, is_open=False) if crash.crashes else None


FIELDS: Mapping[str, tuple[type, ...]] = {
    "instance": (str,),
    "at": (int, float),
    "alone": (bool,),
    "is_open": (bool,),
    "crashes": (int,),
}
"""The fields that are stored as they are, and the types that they may have."""


def to_fields(crash: Crash) -> dict[str, Any]:
    """Return it as it is stored."""
    fields = {name: getattr(crash, name) for name in FIELDS}
    launched = crash.process.launched
    return fields if launched is None else fields | {"launched": launched}

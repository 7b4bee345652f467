"""Notes of where new magnets are about to be sent, written together with the magnets.

So they are on disk before anything is sent, and it takes one write. After a kill right then, the
instance is asked first, although it may not have been sent anything.
"""

from collections.abc import Iterable, Sequence

from .entry import Entry
from .health import InstanceMonitor
from .line import may_go_to


def with_notes(entries: Iterable[Entry], first: InstanceMonitor | None, now: float) -> list[Entry]:
    """Return new entries with a note that `first` gets them, where it may."""
    return [
        entry.sent(first.settings.key, now) if first and may_go_to(entry, first) else entry
        for entry in entries
    ]


def only_noted(given: Sequence[Entry], accepted: Sequence[Entry]) -> list[str]:
    """Return the info-hashes of those that have not been sent, though the books say where.

    One that was on the books before keeps what was known of it, and that counts.
    """
    return [
        one.info_hash
        for one, new in zip(accepted, given, strict=True)
        if one.sent_to is not None and (one.sent_to, one.sent_at) == (new.sent_to, new.sent_at)
    ]

"""Magnets cut into requests: small at first, and larger as long as the server is quick."""

from collections.abc import Iterable, Iterator, Sequence

from .entry import Entry
from .models import AddOptions
from .qbittorrent import fitting

ADD_MAGNETS = (100, 400)
"""First and largest number of magnets in a request, doubled each time.

It bounds what a lost answer leaves open. 1,000 magnets took 256 ms in requests of 50 and 150 ms in
requests of 500 (5.1.0); a server at work for other clients was seen to take 25 s for a request.
"""
ADD_CHARACTERS = 256 * 1024
"""Characters of links a request; encoded that stays under the 1 MiB many a proxy allows."""
QUICK_SECONDS = 1.0
"""A request that is sent and read back within this time leaves room for one twice as large."""


class Portions:
    """Entries in requests: each of one set of wishes, and no larger than it should be."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """Begin with small ones."""
        self._alike: dict[tuple[AddOptions, int], list[Entry]] = {}
        for entry in entries:
            self._alike.setdefault((entry.options, entry.max_retries), []).append(entry)
        self._most = ADD_MAGNETS[0]

    def __iter__(self) -> Iterator[Sequence[Entry]]:
        """Yield one after the other; how many there are depends on how each one goes."""
        for entries in self._alike.values():
            at = 0
            while at < len(entries):
                ahead = entries[at : at + self._most]
                portion = ahead[: fitting((one.magnet for one in ahead), ADD_CHARACTERS)]
                at += len(portion)
                yield portion

    def took(self, seconds: float, *, worked: bool) -> None:
        """Take note of how the last one went."""
        quick = worked and seconds < QUICK_SECONDS
        self._most = min(2 * self._most, ADD_MAGNETS[1]) if quick else ADD_MAGNETS[0]

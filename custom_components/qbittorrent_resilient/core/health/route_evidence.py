"""What one process of a server has said of itself: its addresses outside, and where it listens."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..qbittorrent import Vitals
from ..qbittorrent.log import MOST_ADDRESSES
from .home import Place, place_of
from .route_record import Process, Source, is_another


@dataclass(frozen=True, slots=True)
class Evidence:
    """An address that a server says it has outside; `message` is -1 for that of a field."""

    source: Source
    address: str = field(repr=False)
    place: Place
    message: int = -1


class Testimony:
    """What the process that answers now has said so far."""

    def __init__(self) -> None:
        """Know of nothing."""
        self.process: Process | None = None
        self.fields: tuple[str | None, str | None] = (None, None)
        """The last IPv4 and IPv6 address, as fields tell them from 5.1 on."""
        self.listening = -1
        """The id of the last message that it listens somewhere."""
        self._seen: dict[str, int] = {}
        """The addresses in its log, with the last message that tells each."""

    def take(self, vitals: Vitals) -> bool:
        """Add what a look has brought; tell whether another process speaks now."""
        restarted = is_another(vitals.log_began, self.process)
        if restarted:
            self._seen.clear()
            self.listening = -1
        if self.process is None or restarted:
            self.process = vitals.log_began
        self.listening = max(self.listening, vitals.listening)
        self.fields = (vitals.last_v4, vitals.last_v6)
        for told in vitals.addresses:
            self._seen[told.address] = max(told.message, self._seen.get(told.address, -1))
        return restarted

    def forget_the_oldest(self) -> None:
        """Keep no more than a process ever says."""
        for address in sorted(self._seen, key=self._message)[:-MOST_ADDRESSES]:
            del self._seen[address]

    def _message(self, address: str) -> int:
        return self._seen[address]

    @property
    def newest(self) -> str | None:
        """Return the newest address, by the log where that tells any."""
        if self._seen:
            return max(self._seen, key=self._message)
        return self.fields[0] or self.fields[1]

    @property
    def last_message(self) -> int:
        """Return the id of the last message with an address; -1 for none."""
        return max(self._seen.values(), default=-1)

    def logged(self) -> Iterator[Evidence]:
        """Yield the addresses in the log, the newest first."""
        for address in sorted(self._seen, key=self._message, reverse=True):
            if (place := place_of(address)) is not None:
                yield Evidence(Source.LOG, address, place, self._seen[address])

    def __iter__(self) -> Iterator[Evidence]:
        """Yield all evidence, the newest of the log first and the fields last."""
        yield from self.logged()
        for shown in self.fields:
            if shown is not None and (place := place_of(shown)) is not None:
                yield Evidence(Source.FIELD, shown, place)

    def newest_by_version(self) -> dict[int, Place]:
        """Return, for each IP version, the newest place in the log."""
        newest: dict[int, Place] = {}
        for one in self.logged():
            newest.setdefault(one.place[0], one.place)
        return newest

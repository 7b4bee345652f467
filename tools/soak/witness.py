"""Stands at the wire: what reaches a server has to be on disk by then."""

from pathlib import Path

from .books import Books
from .disk import read_books


class Witness:
    """Compares each request with the books on disk, at the moment at which it is sent."""

    def __init__(self, storage: Path, books: Books) -> None:
        """Look into Home Assistant's storage."""
        self._storage = storage
        self._books = books
        self.on_disk: set[str] = set()
        """All that was ever seen on disk: accepted, whatever became of the call."""
        self.early: set[str] = set()
        """What a server was sent before it was on disk; it may be asked for it earlier."""
        self.unnoted: set[str] = set()
        """What was sent before it was on disk where to."""
        self.trouble: Exception | None = None
        """Why the books could not be read: that is a fault as well."""

    def __call__(self, sent: set[str], asked_for: set[str]) -> None:
        """Look at the hashes of one request before it is passed on."""
        if not (sent or asked_for):
            return
        try:
            stored = read_books(self._storage)
        except (OSError, ValueError, LookupError) as err:
            self.trouble = err
            return
        self.on_disk |= stored.keys()
        self.early |= sent - stored.keys() - self._books.accepted
        self.unnoted |= {key for key in sent if not stored.get(key, {}).get("sent_to")}

"""Fault injection: what goes wrong with which request, how often, before or after it is run."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>proxy</body></html>"


class Kind(Enum):
    """The ways to fail."""

    ANSWER = auto()
    CUT = auto()
    DELAY = auto()
    HANG = auto()
    TRICKLE = auto()


@dataclass(slots=True, eq=False)
class Fault:
    """One injected fault; `hits` counts the requests it met, `clear()` ends it."""

    kind: Kind
    endpoint: str | None = None
    times: int | None = None
    after: bool = False
    seconds: float = 0
    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    hits: int = 0
    cleared: asyncio.Event = field(default_factory=asyncio.Event)

    def clear(self) -> None:
        """End the fault; requests that hang in it are cut off."""
        self.times = self.hits
        self.cleared.set()

    @property
    def is_over(self) -> bool:
        """Whether it meets no further request."""
        return self.times is not None and self.hits >= self.times


class Faults:
    """The faults of one server; each request meets the first that fits.

    `endpoint` is such as `torrents/add`, None for all. `times` None means until cleared.
    `after` executes the request first.
    """

    def __init__(self) -> None:
        """Start without faults."""
        self._faults: list[Fault] = []

    def __iter__(self) -> Iterator[Fault]:
        """Iterate over the faults that are not over."""
        return (fault for fault in self._faults if not fault.is_over)

    def take(self, endpoint: str) -> Fault | None:
        """Return the fault that a request meets, and count it."""
        for fault in self:
            if fault.endpoint in (None, endpoint):
                fault.hits += 1
                return fault
        return None

    def add(self, fault: Fault) -> Fault:
        """Inject a fault."""
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """End all faults."""
        for fault in self._faults:
            fault.clear()
        self._faults.clear()

    def hang(
        self, endpoint: str | None = None, *, times: int | None = None, after: bool = False
    ) -> Fault:
        """Never answer."""
        return self.add(Fault(Kind.HANG, endpoint, times, after))

    def cut(
        self, endpoint: str | None = None, *, times: int | None = None, after: bool = False
    ) -> Fault:
        """Cut the connection instead of answering."""
        return self.add(Fault(Kind.CUT, endpoint, times, after))

    def delay(
        self,
        seconds: float,
        endpoint: str | None = None,
        *,
        times: int | None = None,
        after: bool = False,
    ) -> Fault:
        """Answer rightly, but late."""
        return self.add(Fault(Kind.DELAY, endpoint, times, after, seconds=seconds))

    def trickle(
        self, endpoint: str | None = None, *, times: int | None = None, pause: float = 1
    ) -> Fault:
        """Send the right answer one byte at a time."""
        return self.add(Fault(Kind.TRICKLE, endpoint, times, after=True, seconds=pause))

    def answer(
        self,
        status: int,
        body: bytes | str = b"",
        content_type: str = "text/plain; charset=UTF-8",
        endpoint: str | None = None,
        *,
        times: int | None = None,
        after: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Fault:
        """Answer something else."""
        data = body.encode() if isinstance(body, str) else body
        fault = Fault(Kind.ANSWER, endpoint, times, after, 0, status, data, content_type)
        fault.headers = headers or {}
        return self.add(fault)

    def login_page(self, endpoint: str | None = None, *, times: int | None = None) -> Fault:
        """Answer with the log-in page of a proxy, status 200."""
        return self.answer(200, LOGIN_PAGE, "text/html; charset=utf-8", endpoint, times=times)

    def redirect(
        self, location: str, endpoint: str | None = None, *, times: int | None = None
    ) -> Fault:
        """Send the client elsewhere."""
        headers = {"Location": location}
        return self.answer(302, b"", "text/html", endpoint, times=times, headers=headers)

    def huge(
        self, endpoint: str | None = None, *, times: int | None = None, size: int = 10_000_000
    ) -> Fault:
        """Answer valid JSON of a giant size."""
        body = b'["' + b"x" * (size - 4) + b'"]'
        return self.answer(200, body, "application/json", endpoint, times=times)

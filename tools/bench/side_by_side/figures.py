"""What was measured: samples, beside which others, and against which goal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Samples:
    """The same thing measured some times; `unit` is s, ms, B, kB, MB, % or empty."""

    values: tuple[float, ...]
    unit: str

    @property
    def median(self) -> float:
        """Return the middle one."""
        return median(self.values)

    @property
    def text(self) -> str:
        """Return the median and the spread for people."""
        middle = f"{short(self.median)} {self.unit}".strip()
        low, high = short(min(self.values)), short(max(self.values))
        return middle if low == high else f"{middle} ({low}–{high})"


def short(value: float) -> str:
    """Return a number with three digits that count."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    if abs(value) >= 0.1:
        return f"{value:.2f}"
    return f"{value:.2g}" if value == 0 or abs(value) >= 0.001 else "< 0.001"


def milliseconds(seconds: Iterable[float]) -> Samples:
    """Return samples of seconds as ms."""
    return Samples(tuple(1000 * one for one in seconds), "ms")


NOTICED_SECONDS = 0.1
"""What takes less happens at once, to whoever waits for it."""


def felt(what: str, samples: Samples) -> str:
    """Return what a time means to whoever waits: `1,000 links in 0.15 s`; samples are s or ms."""
    seconds = samples.median / (1000 if samples.unit == "ms" else 1)
    return f"{what} at once" if seconds < NOTICED_SECONDS else f"{what} in {short(seconds)} s"


@dataclass(frozen=True, slots=True)
class Goal:
    """What was to be reached, and whether it was."""

    text: str
    met: bool


def at_most(value: float, limit: float, text: str) -> Goal:
    """Return a goal that is met up to a limit."""
    return Goal(text, value <= limit)


@dataclass(frozen=True, slots=True)
class Beside:
    """The same job done by something else; `goal` is about the ratio of ours to it."""

    name: str
    samples: Samples
    goal: Goal | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was measured; `note` says what one has to know of it.

    `feels` is what the user notices of it.
    """

    what: str
    ours: Samples
    beside: Sequence[Beside] = ()
    goal: Goal | None = None
    note: str = ""
    feels: str = ""

    def ratio(self, other: Beside) -> float | None:
        """Return how many times the other's figure ours is."""
        return self.ours.median / other.samples.median if other.samples.median else None


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one subject."""

    title: str
    rows: Sequence[Row]

"""How much is measured: all of it, a quick look, or just enough to see that it works."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Sizes, and how often each is repeated; seconds and counts where nothing else is said."""

    suites: tuple[str, ...]
    adds: Mapping[int, int]
    """How many magnets a call, and how often."""
    transmission: Mapping[int, int]
    failovers: int
    frozen: tuple[int, ...]
    """With how many magnets in the call a server hangs."""
    drains: int
    outages: int
    leaks: Mapping[int, int]
    """At how many seconds between two checks, and how often."""
    starts: int
    frozen_start_of_core: bool
    """Core's takes two and a half minutes then."""
    many: int
    """What is "10,000" in the full run."""
    idle_seconds: float
    idle_instances: tuple[int, ...]
    written: Mapping[int, int]
    """How many magnets a call, and how many calls, to see what they write."""
    singles: int
    """How often one magnet is added in each of the following states."""
    crowds: tuple[int, ...]
    """How many torrents the server has."""
    queues: tuple[int, ...]
    """How many magnets are queued for another server."""
    instances: tuple[int, ...]
    half_hanging: tuple[int, ...]
    """Of how many instances the first half hangs, each for one time limit."""
    flood: int
    """How many magnets come at once."""
    flood_calls: tuple[int, ...]
    """In how many calls."""
    all_at_once: bool = False
    """Whether nothing has the machine to itself: the figures mean nothing then."""


FULL = Scale(
    suites=("trixie", "forky"),
    adds={1: 15, 10: 15, 100: 15, 1000: 9},
    transmission={1: 15, 10: 5, 100: 2, 1000: 1},
    failovers=5,
    frozen=(10, 100),
    drains=5,
    outages=4,
    leaks={10: 4, 30: 4},
    starts=3,
    frozen_start_of_core=True,
    many=10_000,
    idle_seconds=600,
    idle_instances=(2, 10, 50),
    written={1: 100, 1000: 1, 10_000: 1},
    singles=15,
    crowds=(0, 1000, 10_000, 50_000),
    queues=(0, 10_000, 100_000),
    instances=(2, 10, 50),
    half_hanging=(2, 10, 50),
    flood=100_000,
    flood_calls=(1, 1000),
)
QUICK = Scale(
    suites=("forky",),
    adds={1: 5, 10: 3, 100: 3, 1000: 3},
    transmission={1: 5, 10: 2},
    failovers=2,
    frozen=(10,),
    drains=1,
    outages=0,
    leaks={10: 1},
    starts=1,
    frozen_start_of_core=False,
    many=1000,
    idle_seconds=20,
    idle_instances=(2,),
    written={},
    singles=5,
    crowds=(0, 1000),
    queues=(0, 10_000),
    instances=(2, 10),
    half_hanging=(10,),
    flood=5000,
    flood_calls=(1, 50),
)
TINY = Scale(
    suites=("forky",),
    adds={1: 1, 10: 1},
    transmission={1: 1},
    failovers=1,
    frozen=(),
    drains=1,
    outages=0,
    leaks={10: 1},
    starts=0,
    frozen_start_of_core=False,
    many=100,
    idle_seconds=2,
    idle_instances=(2,),
    written={},
    singles=1,
    crowds=(0, 100),
    queues=(0, 100),
    instances=(2,),
    half_hanging=(),
    flood=200,
    flood_calls=(2,),
    all_at_once=True,
)

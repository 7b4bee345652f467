"""The list of scenarios, and the links and settings that they use."""

from collections.abc import Awaitable, Callable
import json

from ..probe import Probe

type Scenario = Callable[[Probe], Awaitable[None]]

SCENARIOS: dict[str, Scenario] = {}

IDENTITY = ("hash", "infohash_v1", "infohash_v2", "name")

_V1 = "aaaaaaaaaabbbbbbbbbbccccccccccddddddd"
_V2 = "123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd"


def scenario(run: Scenario) -> Scenario:
    """Enter a scenario into the list."""
    SCENARIOS[run.__name__] = run
    return run


def v1(number: int) -> str:
    """Return one of a thousand v1 hashes."""
    return f"{_V1}{number:03}"


def v2(number: int) -> str:
    """Return one of a thousand v2 hashes."""
    return f"{number:03}{_V2}"


def magnet(number: int, rest: str = "") -> str:
    """Return a plain link."""
    return f"magnet:?xt=urn:btih:{v1(number)}{rest}"


async def configure(probe: Probe, **preferences: object) -> None:
    """Change settings of the server."""
    await probe.post("app/setPreferences", {"json": json.dumps(preferences)})

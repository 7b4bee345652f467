"""The steps of the demo, each with what was promised."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
import time
from typing import Any

from aiohttp import ClientError

from tests.support.harness.home_assistant_api import ApiError
from tests.support.harness.home_assistant_flow import FlowError
from tests.support.harness.process import StartError

from .magnets import FIVE, FOUR, MALFORMED, ONE, SIX, THREE, TWO
from .stage import SCAN_INTERVAL, Stage, View
from .tunnel import EXIT_ADDRESS

# It is promised that an outage shows within scan_interval + 10 s. The rest is for a busy machine.
OUTAGE_SHOWS = SCAN_INTERVAL + 10 + 3
LEAK_GROWS = 20
"""How long a server may take to announce itself by a line that it may use from now on, in s."""


# What can go wrong in a step: refusals, parts that end, answers of the wrong shape.
FAULTS = (ApiError, FlowError, StartError, ClientError, OSError, LookupError, TypeError, ValueError)


@dataclass
class Result:
    """How one step went; it is as promised while `problems` is empty."""

    title: str
    seconds: float = 0
    view: View | None = None
    details: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def check(self, promise: str, said: object, wanted: object) -> None:
        """Note a problem if something is not as promised."""
        if said != wanted:
            self.problems.append(f"{promise}: expected {wanted}, got {said}")

    def check_view(self, view: View, **wanted: object) -> None:
        """Check what sensors say and servers list."""
        self.view = view
        for key, value in wanted.items():
            self.check(key.replace("_", " "), getattr(view, key), value)


def added(answer: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return where each added magnet is, and how it got there."""
    return {item["name"]: (item["instance"], item["status"]) for item in answer["added"]}


async def all_up(stage: Stage, result: Result) -> None:
    """Add a magnet while everything is up."""
    view, _ = await stage.until(
        "the VPN is on and both servers are ok",
        lambda view: (view.primary, view.secondary, view.active) == ("ok", "ok", "Primary"),
    )
    up = stage.vpn(up=True)
    result.check_view(view, **up, primary="ok", secondary="ok", queued="0", active="Primary")
    answer = await stage.add(ONE)
    result.check("answer", added(answer), {"one": ("Primary", "added")})
    result.check("health", answer["health"]["vpn"], "on" if stage.tunnel.targets else None)
    result.check_view(await stage.view(), on_primary=["one"], on_secondary=[])
    result.details.append("one went to Primary")


async def vpn_down(stage: Stage, result: Result) -> None:
    """Take the VPN down and add a magnet."""
    stage.tunnel.down()
    down = stage.vpn(up=False)
    view, seconds = await stage.until(
        "the outage shows",
        lambda view: (
            (view.vpn, view.primary, view.active) == (down["vpn"], "vpn_down", "Secondary")
        ),
    )
    result.check_view(view, **down, primary="vpn_down", secondary="ok", active="Secondary")
    if seconds > OUTAGE_SHOWS:
        result.problems.append(f"the outage showed only after {seconds:.1f} s")
    answer = await stage.add(TWO)
    result.check("answer", added(answer), {"two": ("Secondary", "added")})
    result.check_view(await stage.view(), on_primary=["one"], on_secondary=["two"])
    result.details.append(f"the outage showed after {seconds:.1f} s, two went to Secondary")


async def both_down(stage: Stage, result: Result) -> None:
    """Stop both servers too and add two magnets."""
    await stage.primary.stop()
    await stage.secondary.stop()
    await stage.until("Secondary is down too", lambda view: view.secondary == "unreachable")
    answer = await stage.add(THREE, FOUR)
    queued = {item["name"]: item["reason"] for item in answer["queued"]}
    result.check("queued", queued, {"three": "vpn_down", "four": "vpn_down"})
    view, _ = await stage.until("the queue shows", lambda view: view.queued == "2", 10)
    result.check_view(
        view,
        **stage.vpn(up=False),
        primary="vpn_down",
        secondary="unreachable",
        queued="2",
        active="unknown",
    )
    result.details.append("three and four are queued, as Primary is vpn_down")


async def still_queued(stage: Stage, result: Result) -> None:
    """Restart Home Assistant."""
    began = time.monotonic()
    await stage.home_assistant.restart(
        lambda seconds: stage.console.note("waiting until Home Assistant has restarted")
    )
    result.details.append(f"Home Assistant restarted in {time.monotonic() - began:.1f} s")
    down = stage.vpn(up=False)
    view, _ = await stage.until(
        "it has checked the VPN and the servers again",
        lambda view: (
            (view.vpn, view.primary, view.secondary, view.queued)
            == (down["vpn"], "vpn_down", "unreachable", "2")
        ),
    )
    result.check_view(view, **down, primary="vpn_down", secondary="unreachable", queued="2")
    result.check("get_queue", await stage.get_queue(), {"three", "four"})


async def delivered(stage: Stage, result: Result) -> None:
    """Bring VPN and primary back, and touch nothing else."""
    stage.tunnel.up()
    await stage.primary.start()
    at: dict[str, float] = {}
    began = time.monotonic()

    def done(view: View) -> bool:
        """Note when what happens, until all has."""
        now = time.monotonic() - began
        if view.primary == "ok":
            at.setdefault("ok", now)
        if view.on_primary == ["one", "three", "four"]:
            at.setdefault("delivered", now)
        return (view.queued, view.active) == ("0", "Primary") and "delivered" in at

    view, _ = await stage.until("the queue has been delivered", done)
    result.check_view(
        view,
        **stage.vpn(up=True),
        primary="ok",
        queued="0",
        on_primary=["one", "three", "four"],
    )
    if "delivered" in at:
        text = f"delivered by itself {at['delivered']:.1f} s after VPN and Primary were back"
        if at.get("ok", at["delivered"]) < at["delivered"]:
            text += f", {at['delivered'] - at['ok']:.1f} s after Primary showed as ok"
        result.details.append(text)


async def again(stage: Stage, result: Result) -> None:
    """Add magnets again that are there already, also one that only the second server has."""
    await stage.secondary.start()
    await stage.until("Secondary is ok again", lambda view: view.secondary == "ok")
    answer = await stage.add(ONE, TWO, THREE)
    wanted = {
        "one": ("Primary", "already_present"),
        "two": ("Secondary", "already_present"),
        "three": ("Primary", "already_present"),
    }
    result.check("answer", added(answer), wanted)
    result.check_view(
        await stage.view(),
        secondary="ok",
        on_primary=["one", "three", "four"],
        on_secondary=["two"],
    )
    result.details.append("one, two and three are already_present, each where it is")


async def malformed(stage: Stage, result: Result) -> None:
    """Add a malformed magnet, next to a good one and alone."""
    answer = await stage.add(MALFORMED, FIVE)
    failed = [(item["index"], item["reason"]) for item in answer["failed"]]
    result.check("failed", failed, [(0, "invalid_magnet")])
    result.check("answer", added(answer), {"five": ("Primary", "added")})
    try:
        await stage.add(MALFORMED)
        result.problems.append("a malformed magnet alone: expected an error, got an answer")
    except ApiError as err:
        result.check("a malformed magnet alone", err.code, "service_validation_error")
    result.check_view(
        await stage.view(),
        queued="0",
        on_primary=["one", "three", "four", "five"],
        on_secondary=["two"],
    )
    result.details.append("the malformed one is failed, the good one beside it went to Primary")


async def leaking(stage: Stage, result: Result) -> None:
    """Bind Primary to nothing, as its user may, while the VPN is up; add a magnet for it."""
    if not stage.primary.can_leak:
        result.details.append("left out: without a network of its own, Primary cannot leak")
        return
    await stage.primary.bind(to_vpn=False)
    view, seconds = await stage.until(
        "the leak shows", lambda view: view.primary == "leaking", OUTAGE_SHOWS + LEAK_GROWS
    )
    result.check_view(
        view, **stage.vpn(up=True), primary="leaking", route="leaking", active="Secondary"
    )
    answer = await stage.add(SIX, require_vpn=True)
    queued = {item["name"]: item["reason"] for item in answer["queued"]}
    result.check("queued", queued, {"six": "leaking"})
    result.check("announced", stage.announced_from(SIX), set())
    text = f"{seconds:.1f} s after it was set, Primary showed as leaking; six waits"
    if stage.tunnel.world is not None:
        text += ", and the tracker never heard of it"
    result.details.append(text)


async def bound_again(stage: Stage, result: Result) -> None:
    """Bind Primary to the VPN again, and have everything checked."""
    if not stage.primary.can_leak:
        result.details.append("left out as well")
        return
    await stage.primary.bind(to_vpn=True)
    await stage.check_health()
    view, seconds = await stage.until(
        "the queue has been delivered",
        lambda view: view.queued == "0" and "six" in (view.on_primary or ()),
        OUTAGE_SHOWS,
    )
    result.check_view(view, primary="ok", queued="0", active="Primary")
    result.details.append(f"six was delivered {seconds:.1f} s later")
    if stage.tunnel.world is not None:
        await stage.until("it is announced", lambda _: bool(stage.announced_from(SIX)), 30)
        result.check("announced from", stage.announced_from(SIX), {EXIT_ADDRESS})
        result.details.append("the tracker heard of six by the tunnel only")


type Step = Callable[[Stage, Result], Awaitable[None]]

STEPS: list[tuple[str, Step]] = [
    ("1  all up", all_up),
    ("2  VPN link down", vpn_down),
    ("3a both servers down too", both_down),
    ("3b Home Assistant restarted", still_queued),
    ("4  VPN and Primary back", delivered),
    ("5  the same magnets again", again),
    ("6  a malformed magnet", malformed),
    ("7a Primary not bound to it", leaking),
    ("7b Primary bound again", bound_again),
]


@contextmanager
def _problems(result: Result) -> Iterator[None]:
    """Turn what goes wrong in a step into a problem of it."""
    try:
        yield
    except FAULTS as err:
        result.problems.append(f"{type(err).__name__}: {err}")


async def play(stage: Stage) -> AsyncIterator[Result]:
    """Go through the steps; a later one is tried even if an earlier one went wrong."""
    for title, step in STEPS:
        result = Result(title)
        began = time.monotonic()
        with _problems(result):
            await step(stage, result)
        result.seconds = time.monotonic() - began
        with _problems(result):
            result.view = await stage.view()
        yield result

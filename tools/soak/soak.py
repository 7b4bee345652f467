"""The soak: round after round, everything is counted."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
import random
import shutil
import time

from tests.support.harness.workspace import workspace

from .aimed import AIMED
from .books import Books
from .rounds import RANDOM, Round, start_again
from .stage import Stage

KINDS = (*RANDOM, *AIMED)


@dataclass(frozen=True)
class Result:
    """The figures."""

    kills: int
    magnets: int
    books: Books
    failed: int
    seconds: float

    def __str__(self) -> str:
        """Return them in one line."""
        books = self.books
        return (
            f"{self.kills} kills, {self.magnets} magnets accepted of {len(books.given)}, "
            f"{len(books.lost)} losses, {len(books.twice)} duplicates, "
            f"{len(books.unbooked)} at a server before they were on disk, "
            f"{len(books.unnoted)} sent before it was noted where to, "
            f"{self.failed} on the failed list, {self.seconds:.0f} s"
        )


async def soak(
    kills: int,
    seed: int,
    say: Callable[[str], None],
    *,
    to_the_end: bool = True,
    limit: float | None = None,
    log: Path | None = None,
    components: Path | None = None,
    kinds: Sequence[Round] = (),
    rounds: int | None = None,
    ballast_after: int | None = None,
    until_harm: bool = False,
) -> Result:
    """Kill Home Assistant that often, in at most that many rounds, none started after `limit`.

    With `to_the_end` all is left to settle then, and the servers are killed: nothing may be lost.
    `components` is the integration to try; `kinds` are played in their order, else all as the
    dice fall. After `ballast_after` kills, by default half of them, there are magnets that stay on
    the books. With `until_harm` a magnet lost or on both servers is the end.
    """
    began = time.monotonic()
    rng, books = random.Random(seed), Books()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(workspace("soak"))
        stage = Stage(folder, books, components)
        stack.push_async_callback(stage.end)
        if log is not None:
            stack.callback(_keep_log, stage, log)
        await stage.set_up()
        say(f"set up in {time.monotonic() - began:.0f} s")
        next_kinds: list[Round] = []
        number = 0
        while stage.kills < kills and number != rounds:
            if limit is not None and time.monotonic() - began > limit:
                break
            number += 1
            if stage.kills >= (kills // 2 if ballast_after is None else ballast_after):
                await stage.take_ballast()
            next_kinds = next_kinds or list(kinds) or rng.sample(KINDS, len(KINDS))
            await _round(stage, rng, next_kinds.pop(0), kills, f"{number:4}", say)
            if until_harm and books.harm:
                break
        if to_the_end and not (until_harm and books.harm):
            await stage.off_the_books()
            for server in stage.pair.both:
                server.kill()
            stage.pair.start()
            say(f" end  all saved, servers killed  {stage.judge(await stage.settled()) or 'good'}")
        look = await stage.look()
        seconds = time.monotonic() - began
        return Result(stage.kills, len(books.accepted), books, len(look.failed), seconds)


async def _round(
    stage: Stage,
    rng: random.Random,
    play: Round,
    kills: int,
    number: str,
    say: Callable[[str], None],
) -> None:
    """Play one round and say how it went."""
    began, logged = time.monotonic(), stage.log_size()
    at = time.strftime("%H:%M:%S", time.gmtime())
    note = await play(stage, rng)
    note += await start_again(stage, rng, kills)
    look = await stage.settled()
    wrong = stage.judge(look)
    say(
        f"{number} {at} {play.__name__:<18}{note}; "
        f"accepted {len(stage.books.accepted)}/{len(stage.books.given)}: "
        f"{len(look.primary)} + {len(look.secondary)}, {len(look.queued)} queued, "
        f"{len(look.failed)} failed; {time.monotonic() - began:.1f} s; {wrong or 'good'}"
    )
    if wrong:
        lines = stage.log_since(logged).decode(errors="replace").splitlines()
        say("\n".join(line for line in lines if "qbittorrent_resilient" in line))


def _keep_log(stage: Stage, log: Path) -> None:
    """Copy Home Assistant's log to where it stays."""
    shutil.copyfile(stage.home_assistant.folder / "output.log", log)

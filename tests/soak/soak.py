"""The soak: round after round, everything is counted."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
import random
import shutil
import time

from tests.harness.workspace import workspace

from .books import Books
from .rounds import KINDS, start_again
from .stage import Stage


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
            f"{len(books.unbooked)} sent before they were on disk, "
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
) -> Result:
    """Kill Home Assistant that often; with `limit`, start no round after so many seconds.

    With `to_the_end` all is left to settle then, and the servers are killed: nothing may be lost.
    """
    began = time.monotonic()
    rng, books = random.Random(seed), Books()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(workspace("soak"))
        stage = Stage(folder, books)
        stack.push_async_callback(stage.end)
        if log is not None:
            stack.callback(_keep_log, stage, log)
        await stage.set_up()
        say(f"set up in {time.monotonic() - began:.0f} s")
        kinds: list[int] = []
        number = 0
        while stage.kills < kills and not (limit and time.monotonic() - began > limit):
            number += 1
            kinds = kinds or rng.sample(range(len(KINDS)), len(KINDS))
            await _round(stage, rng, kinds.pop(), kills, f"{number:4}", say)
        if to_the_end:
            await stage.off_the_books()
            for server in stage.servers:
                server.kill()
            stage.start_servers()
            say(f" end  all saved, servers killed  {books.judge(await stage.settled()) or 'good'}")
        look = await stage.look()
        seconds = time.monotonic() - began
        return Result(stage.kills, len(books.accepted), books, len(look.failed), seconds)


async def _round(
    stage: Stage, rng: random.Random, kind: int, kills: int, number: str, say: Callable[[str], None]
) -> None:
    """Play one round and say how it went."""
    began, logged = time.monotonic(), stage.log_size()
    at = time.strftime("%H:%M:%S", time.gmtime())
    play = KINDS[kind]
    note = await play(stage, rng)
    note += await start_again(stage, rng, kills)
    look = await stage.settled()
    wrong = stage.books.judge(look)
    say(
        f"{number} {at} {play.__name__:<12}{note}; "
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

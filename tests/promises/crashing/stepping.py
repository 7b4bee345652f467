"""A life that can end between any two steps of its tasks, in time that jumps to the next timer.

All tasks of a life are driven step by step. A step ends where a task gives way, so the kill lies
right before or right after something that was awaited; what is dead makes no further step, not
even of its `finally` clauses.
"""

import ast
import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
import contextlib
from inspect import getsourcefile
from pathlib import Path
import selectors
from types import ModuleType
from typing import Any, override


class KilledError(BaseException):
    """What the dead are told who still try to reach the outside."""


class DeadlockError(Exception):
    """Everybody waits, and nothing will ever happen."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        super().__init__(_Jump(self))

    @override
    def time(self) -> float:
        return self.seconds

    @override
    def run_in_executor[*Parts, T](
        self, executor: Executor | None, func: Callable[[*Parts], T], *args: *Parts
    ) -> asyncio.Future[T]:
        """Do it at once: while a thread worked, the time would jump to the next limit."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as err:  # noqa: BLE001 - for whoever waits
            done.set_exception(err)
        return done


class _Jump(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    @override
    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise DeadlockError
        self._loop.seconds += max(timeout, 0)
        return []


class Life:
    """One process of Home Assistant; it ends before step number `last`, if that is given."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        state: Callable[[], int],
        last: int | None = None,
        *,
        watched: bool = False,
    ) -> None:
        """`state` is a fingerprint of all that outlives it, noted at each step if `watched`."""
        self._state = state
        self.watched = watched
        self.last = last
        self.steps = 0
        self.dead = False
        self.killed: asyncio.Future[None] = loop.create_future()
        self.tasks: list[asyncio.Task[Any]] = []
        self.coros: list[_Steps] = []
        self.states: list[int] = []
        self.paused_at: set[tuple[str, int]] = set()

    def make_task(
        self, loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        """Make a task of this life, as the loop's task factory."""
        self.coros.append(steps := _Steps(coro, self))
        task = asyncio.Task(steps, loop=loop, **options)
        self.tasks.append(task)
        return task

    def step(self) -> bool:
        """Count a step; tell whether there is one."""
        if not self.dead:
            self.steps += 1
            if self.watched:
                self.states.append(self._state())
            if self.steps == self.last:
                self.die()
        return not self.dead

    def die(self) -> None:
        """Stop dead."""
        self.dead = True
        if not self.killed.done():
            self.killed.set_result(None)

    def reach_out(self) -> None:
        """Go on only while alive."""
        if self.dead:
            raise KilledError

    async def bury(self) -> None:
        """Do away with the tasks of the dead; none of their code runs."""
        self.die()
        for task in self.tasks:
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks)
        for steps in self.coros:
            steps.close()


class _Steps(Coroutine[Any, Any, Any]):
    """A coroutine that goes on only while its life lasts."""

    def __init__(self, coro: Coroutine[Any, Any, Any], life: Life) -> None:
        self._coro = coro
        self._life = life

    @override
    def send(self, value: Any) -> Any:
        if not self._life.step():
            raise StopIteration
        return self._paused(self._coro.send(value))

    @override
    def throw(self, *error: Any) -> Any:
        if not self._life.step():
            raise StopIteration
        return self._paused(self._coro.throw(*error))

    @override
    def close(self) -> None:
        self._life.die()
        with contextlib.suppress(BaseException):
            self._coro.close()

    @override
    def __await__(self) -> Any:
        raise TypeError("it is driven step by step")

    def _paused(self, given: Any) -> Any:
        """Note every await that this step ended in."""
        if self._life.watched:
            coro: Any = self._coro
            while (frame := getattr(coro, "cr_frame", None)) is not None:
                self._life.paused_at.add((frame.f_code.co_filename, frame.f_lineno))
                coro = coro.cr_await
        return given


def awaits(module: ModuleType) -> dict[tuple[int, int], str]:
    """Return each place in a module that can wait: its lines and its text.

    Not those in asynchronous generators, which cannot be seen: there, the loop over it is seen.
    """
    file = getsourcefile(module)
    assert file is not None
    text = Path(file).read_text("utf-8")
    tree = ast.parse(text)
    unseen = {
        node
        for function in ast.walk(tree)
        if isinstance(function, ast.AsyncFunctionDef)
        and any(isinstance(node, ast.Yield) for node in ast.walk(function))
        for node in ast.walk(function)
    }
    found: dict[tuple[int, int], str] = {}
    for node in ast.walk(tree):
        parts: list[ast.expr] = []
        if node in unseen:
            continue
        if isinstance(node, ast.Await):
            parts = [node]
        elif isinstance(node, ast.AsyncWith):
            parts = [item.context_expr for item in node.items]
        elif isinstance(node, ast.AsyncFor):
            parts = [node.iter]
        for part in parts:
            assert part.end_lineno is not None
            found[part.lineno, part.end_lineno] = ast.get_source_segment(text, part) or ""
    return found

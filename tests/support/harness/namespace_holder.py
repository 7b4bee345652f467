"""Network namespaces that live as long as a process of their own, which does as it is told.

Nothing is left behind, even after SIGKILL: the namespaces have no name, and the process ends with
its parent.
"""

import json
from pathlib import Path
import subprocess
import sys
from types import TracebackType
from typing import Any, Self

from .process import UnavailableError, clean_environment

ROOT = Path(__file__).parents[3]
REMEDY = (
    "run it as root, with CAP_SYS_ADMIN and CAP_NET_ADMIN if that is in a container, "
    "or allow user namespaces"
)


class NamespaceHolder:
    """Runs the process; an order is a line, and so is its answer, as JSON."""

    def __init__(self, module: str, *, wanted: str) -> None:
        """Run this module, or raise UnavailableError where the kernel does not permit it.

        `wanted` says in such an error what it would have held.
        """
        self._wanted = wanted
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=clean_environment(),
            cwd=ROOT,
            text=True,
            start_new_session=True,
        )
        try:
            self.started = self._answer()
        except UnavailableError:
            self.close()
            raise
        # Give this to a server that is to live in there.
        self.netns = f"/proc/{self._process.pid}/ns/net"

    def close(self) -> None:
        """End the process; what it holds goes with it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        """Use it in a with statement."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Clean up."""
        self.close()

    def _send(self, order: str) -> dict[str, Any]:
        """Have the process do something, and return its answer when it is done."""
        if self._process.stdin is None or self._process.stdin.closed:
            msg = f"closed: {self._wanted}"
            raise OSError(msg)
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        answer: dict[str, Any] = json.loads(line or '{"error": "its process ended"}')
        if error := answer.get("error"):
            msg = f"no network namespace for {self._wanted} ({error}): {REMEDY}"
            raise UnavailableError(msg)
        return answer

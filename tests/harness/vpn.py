"""A stand-in for a VPN: a veth pair into a network namespace, whose far end answers while it is up.

Nothing is left behind, even after SIGKILL: the namespace has no name and lives as long
as the process that holds it, which ends with its parent, and the pair goes with it.
"""

import json
import os
from pathlib import Path
import subprocess
import sys
from types import TracebackType
from typing import Self, override

from .netlink import Netlink
from .process import UnavailableError, clean_environment

ROOT = Path(__file__).parents[2]
HOLDER = f"{__package__}.vpn_holder"
REMEDY = (
    "run it as root, with CAP_SYS_ADMIN and CAP_NET_ADMIN if that is in a container, "
    "or allow user namespaces"
)


class Vpn:
    """A VPN that can be taken down: `target` answers pings only while it is up."""

    def __init__(self) -> None:
        """Bring it up, or raise UnavailableError where the kernel does not permit it."""
        self._holder = subprocess.Popen(
            [sys.executable, "-m", HOLDER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=clean_environment(),
            cwd=ROOT,
            text=True,
            start_new_session=True,
        )
        try:
            answer = self._answer()
        except UnavailableError:
            self.close()
            raise
        self.target = answer["target"]
        self.near_address = answer["near"]
        # Give this to a server that is to live behind the VPN.
        self.netns = f"/proc/{self._holder.pid}/ns/net"

    def up(self) -> None:
        """Switch the far end on."""
        self._order("up")

    def down(self) -> None:
        """Switch the far end off: pings get no answer, and none leaves the machine."""
        self._order("down")

    def silence(self) -> None:
        """Let the link stay up while nothing answers pings any more."""
        self._order("silent")

    def answer(self) -> None:
        """Undo silence, or loss."""
        self._order("answer")

    def lose(self, percent: int, seed: int) -> None:
        """Leave so many echoes without an answer, by a seeded generator, until `answer`."""
        self._order(f"lose {percent} {seed}")

    def gone(self) -> None:
        """Take the far host away while the link stays up: nobody has its address any more."""
        self._order("gone")

    def back(self) -> None:
        """Undo gone."""
        self._order("back")

    def near_down(self) -> None:
        """Switch the own end off.

        The route goes with it: pings then follow the default route, if there is one,
        so use this only inside a namespace without one.
        """
        self._order("near-down")

    def near_up(self) -> None:
        """Undo near_down."""
        self._order("near-up")

    def close(self) -> None:
        """Remove the pair and the namespace."""
        if self._holder.stdin is not None:
            self._holder.stdin.close()
        try:
            self._holder.wait(5)
        except subprocess.TimeoutExpired:
            self._holder.kill()
            self._holder.wait()
        if self._holder.stdout is not None:
            self._holder.stdout.close()

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

    @override
    def __repr__(self) -> str:
        """Name the far end."""
        return f"<Vpn {self.target}>"

    def _order(self, word: str) -> None:
        """Have the holder do something, and wait until it is done."""
        if self._holder.stdin is None:
            msg = "the VPN stand-in has been closed"
            raise OSError(msg)
        self._holder.stdin.write(f"{word}\n")
        self._holder.stdin.flush()
        self._answer()

    def _answer(self) -> dict[str, str]:
        """Read one answer of the holder."""
        line = self._holder.stdout.readline() if self._holder.stdout is not None else ""
        answer: dict[str, str] = json.loads(line or '{"error": "its process ended"}')
        if error := answer.get("error"):
            msg = f"no network namespace for the VPN stand-in ({error}): {REMEDY}"
            raise UnavailableError(msg)
        return answer


def enter_own_namespace() -> None:
    """Become root in a user and network namespace of its own, where only loopback exists.

    For users who are not root. All that this process starts later lives in there too, so
    nothing outside can reach it. Call it before any thread is started.
    """
    # A namespace that turns out to be of no use cannot be left again, so a child goes first.
    if not (child := os.fork()):
        code = 1
        try:
            _enter_own_namespace()
            code = 0
        except OSError as err:
            code = err.errno or 1
        finally:
            os._exit(code)
    if code := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        msg = f"no user namespace ({os.strerror(abs(code))}): {REMEDY}"
        raise UnavailableError(msg)
    _enter_own_namespace()


def _enter_own_namespace() -> None:
    """Do it, or raise OSError."""
    user, group = os.geteuid(), os.getegid()
    os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET)
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="ascii")
    netlink = Netlink()
    netlink.set_up(1, up=True)  # 1 is lo in every new namespace
    netlink.close()

"""A stand-in for a VPN: a veth pair into a network namespace, whose far end answers while it is up.

Nothing is left behind, even after SIGKILL: the namespace has no name and lives as long
as the process that holds it, which ends with its parent, and the pair goes with it.
"""

import os
from pathlib import Path
from typing import override

from .namespace_holder import REMEDY, NamespaceHolder
from .netlink import Netlink
from .process import UnavailableError

HOLDER = f"{__package__}.vpn_holder"


class Vpn(NamespaceHolder):
    """A VPN that can be taken down: `target` answers pings only while it is up."""

    def __init__(self) -> None:
        """Bring it up, or raise UnavailableError where the kernel does not permit it."""
        super().__init__(HOLDER, wanted="the VPN stand-in")
        self.target: str = self.started["target"]
        self.near_address: str = self.started["near"]

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

    @override
    def __repr__(self) -> str:
        """Name the far end."""
        return f"<Vpn {self.target}>"

    def _order(self, word: str) -> None:
        self._send(word)


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

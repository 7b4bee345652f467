"""The VPN of the demo: a tunnel in network namespaces, or a stand-in where there can be none.

It is watched as a home would: by a target that answers only while it is up, and by the gluetun
whose network the server uses. That gluetun is a fake in either case.
"""

from typing import Protocol

from tests.support.gluetun import FakeGluetun
from tests.support.harness.process import UnavailableError
from tests.support.harness.vpn import Vpn
from tests.support.harness.world import World
from tests.support.harness.world_places import HOME, TUNNEL

HOME_ADDRESS, EXIT_ADDRESS = HOME.near[0], TUNNEL.near[0]


class Tunnel(Protocol):
    """What the demo needs of a VPN."""

    what: str
    stand_in: bool
    targets: list[str]
    """What the integration is told to watch, beside the gluetun."""
    gluetun: FakeGluetun
    world: World | None
    """Where the server lives that is behind the VPN, if it is real."""

    def up(self) -> None:
        """Bring it up."""

    def down(self) -> None:
        """Take it down."""

    def end(self) -> None:
        """Leave nothing behind."""


class _Watched:
    """A VPN that its gluetun tells of, and nothing else."""

    stand_in = True
    targets: list[str]
    world: World | None = None
    what = "a stand-in: nothing but what its (fake) gluetun says, as there is no network for it"

    def __init__(self) -> None:
        """Be up; whoever makes it starts the gluetun."""
        self.targets = []
        self.gluetun = FakeGluetun()
        self.gluetun.public_ip = EXIT_ADDRESS

    def up(self) -> None:
        """Say that it is up."""
        self.gluetun.status, self.gluetun.public_ip = "running", EXIT_ADDRESS

    def down(self) -> None:
        """Say that it is down."""
        self.gluetun.status, self.gluetun.public_ip = "stopped", ""

    def end(self) -> None:
        """There is nothing to remove."""


class RealTunnel(_Watched):
    """An interface that the server uses, and a host that answers pings; both go when it is down."""

    stand_in = False

    def __init__(self) -> None:
        """Bring it up, or raise UnavailableError."""
        super().__init__()
        self._vpn = Vpn()
        self.targets = [self._vpn.target]
        try:
            self.world = self._world = World()
        except UnavailableError:
            self._vpn.close()
            raise
        self.what = (
            f"interface {TUNNEL.name} in a network namespace, beside the home line {HOME.name}; "
            f"watched by a target, {self._vpn.target}, and by a (fake) gluetun"
        )

    def up(self) -> None:
        """Make the interface, and switch the host on."""
        super().up()
        self._world.make_tunnel()
        self._vpn.up()

    def down(self) -> None:
        """Take the interface away, and switch the host off."""
        super().down()
        self._world.delete_tunnel()
        self._vpn.down()

    def end(self) -> None:
        """Remove interfaces and namespaces."""
        self._world.close()
        self._vpn.close()


def make_tunnel(refused: str = "") -> tuple[Tunnel, str]:
    """Return the VPN and, where it is a stand-in, the reason; `refused` is one known before."""
    if refused:
        return _Watched(), refused
    try:
        return RealTunnel(), ""
    except UnavailableError as err:
        return _Watched(), str(err)

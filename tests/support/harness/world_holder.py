"""The process that holds the two namespaces of a `World`, and serves in the far one.

It says one line of JSON, and then obeys one order a line, which is JSON as well and answered by
a line. Nothing of it is in the namespace that it was started in but the ports that it publishes.
When its input ends, for example because its parent was killed, it ends, and all goes with it.
"""

from collections.abc import Iterator
import contextlib
from dataclasses import asdict, dataclass
import json
import os
import socket
import sys
import threading
from typing import Any

from . import world_places as places
from .netlink import Netlink
from .world_peer import Peer
from .world_router import Router
from .world_socks import SocksProxy, both_ways
from .world_tracker import Tracker


@dataclass(frozen=True)
class Namespace:
    """A network namespace: its file, and a netlink socket in it."""

    file: int
    netlink: Netlink

    @contextlib.contextmanager
    def entered(self, back: int) -> Iterator[None]:
        """Have this thread in there for a while; what it makes meanwhile stays there."""
        os.setns(self.file, os.CLONE_NEWNET)
        try:
            yield
        finally:
            os.setns(back, os.CLONE_NEWNET)

    def set_up(self, name: str) -> None:
        """Switch on an interface of the namespace that this thread is in."""
        self.netlink.set_up(socket.if_nametoindex(name), up=True)


def new_namespace() -> Namespace:
    """Make one; this thread is in it afterwards."""
    os.unshare(os.CLONE_NEWNET)
    file = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    namespace = Namespace(file, Netlink())
    namespace.set_up("lo")
    return namespace


class Holder:
    """The two namespaces; its thread is in that of the client, but for moments."""

    def __init__(self) -> None:
        """Make all that is there from the beginning."""
        self._outside = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self._world = new_namespace()
        lo = socket.if_nametoindex("lo")
        for address in places.OF_THE_WORLD:
            self._world.netlink.add_address(lo, address)
        self._tracker, self._peer = Tracker(places.TRACKER, places.TRACKER_IPV6), Peer()
        self._proxy = SocksProxy(places.PROXY, places.PROXY_OUTSIDE)
        self._router: Router | None = None
        self._client = new_namespace()
        self._metrics = {line: line.metric for line in places.LINES}
        for line in places.LINES:
            self._make(line)

    def obey(self, order: str, *args: Any) -> Any:
        """Do what one line asks for, and return the answer."""
        match order, args:
            case "make", [name]:
                self._make(places.BY_NAME[name])
            case "delete", [name]:
                self._client.netlink.delete_link(socket.if_nametoindex(name))
            case "prefer", [name]:
                self._metrics[places.BY_NAME[name]] = places.PREFERRED
                self._client.netlink.delete_link(socket.if_nametoindex(name))
                self._make(places.BY_NAME[name])
            case "reset", []:
                self._reset()
            case "claim", [claims]:
                self._tracker.claims = claims
            case "heard", []:
                return [asdict(one) for one in self._tracker.notes]
            case "met", []:
                return [asdict(one) for one in self._peer.notes]
            case "port mapping", [offered]:
                self._map_ports(offered=offered)
            case "publish", [port]:
                self._publish(port)
            case _:
                msg = f"unknown order {order}"
                raise OSError(msg)
        return None

    def _make(self, line: places.Line) -> None:
        """Make a line: a pair of interfaces, its addresses, a default route by it."""
        self._client.netlink.add_veth(line.name, line.far_name, self._world.file)
        near = socket.if_nametoindex(line.name)
        for address, length in zip(line.near, places.LENGTHS, strict=False):
            self._client.netlink.add_address(near, f"{address}/{length}")
        with self._world.entered(self._client.file):
            far = socket.if_nametoindex(line.far_name)
            for address, length in zip(line.far, places.LENGTHS, strict=False):
                self._world.netlink.add_address(far, f"{address}/{length}")
            self._world.set_up(line.far_name)
        self._client.set_up(line.name)
        self._route(line)

    def _route(self, line: places.Line) -> None:
        """Give the client its default routes by a line."""
        near = socket.if_nametoindex(line.name)
        for gateway in line.far:
            self._client.netlink.add_default_route(near, gateway, self._metrics[line])

    def _reset(self) -> None:
        """Make everything as it was in the beginning, but for the notes."""
        self._tracker.claims = {}
        self._map_ports(offered=False)
        self._metrics = {line: line.metric for line in places.LINES}
        for line in places.LINES:
            with contextlib.suppress(OSError):  # it may have been deleted
                self._client.netlink.delete_link(socket.if_nametoindex(line.name))
            self._make(line)

    def _map_ports(self, *, offered: bool) -> None:
        if self._router is not None:
            self._router.close()
            self._router = None
        if offered:
            with self._world.entered(self._client.file):
                self._router = Router(places.HOME.far[0], places.HOME.near[0])

    def _publish(self, port: int) -> None:
        """Let the loopback outside reach a port of the loopback at the client's."""
        os.setns(self._outside, os.CLONE_NEWNET)
        try:
            listener = socket.create_server(("127.0.0.1", port))
        finally:
            os.setns(self._client.file, os.CLONE_NEWNET)
        threading.Thread(target=forward, args=(listener, port), daemon=True).start()


def forward(listener: socket.socket, port: int) -> None:
    """Pass what comes on to a port of loopback in the namespace of this thread."""
    while True:
        near, _ = listener.accept()
        threading.Thread(target=_forward, args=(near, port), daemon=True).start()


def _forward(near: socket.socket, port: int) -> None:
    with near, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as far:
        for one in (near, far):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        both_ways(near, far)


def say(**words: Any) -> None:
    """Answer with one line of JSON."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Build, and obey until the input ends."""
    try:
        holder = Holder()
    except OSError as err:
        say(error=f"{err.strerror or err}")
        return
    say(answer=None)
    for line in sys.stdin:
        try:
            say(answer=holder.obey(*json.loads(line)))
        except OSError as err:
            say(error=f"{err.strerror or err}")


if __name__ == "__main__":
    main()

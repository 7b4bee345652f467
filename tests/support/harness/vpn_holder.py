"""The process that holds the far end of the VPN stand-in.

It makes a network namespace and a veth pair into it, says one line of JSON, and then
obeys one word a line. When its input ends, for example because its parent was killed,
it removes the pair and exits; the kernel removes the namespace with its last process.
"""

from dataclasses import dataclass, field
import ipaddress
import json
import os
from pathlib import Path
import random
import socket
import sys

from .netlink import Netlink
from .vpn_responder import LossyResponder

FAR_NAME = "far0"
IGNORE_ECHO = Path("/proc/sys/net/ipv4/icmp_echo_ignore_all")


def used_networks() -> list[ipaddress.IPv4Network]:
    """Return the networks that this machine has a route to, the default route left out."""
    networks = []
    for line in Path("/proc/net/route").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        target, mask = (int(fields[i], 16).to_bytes(4, sys.byteorder) for i in (1, 7))
        if any(mask):
            prefix = int.from_bytes(mask).bit_count()
            networks.append(ipaddress.IPv4Network((target, prefix), strict=False))
    return networks


def unused_network() -> ipaddress.IPv4Network:
    """Return four private addresses that no route of this machine covers."""
    used = used_networks()
    for _ in range(1000):
        # Not a secret: any free network will do.
        start = (10 << 24) + random.randrange(1 << 22) * 4
        network = ipaddress.IPv4Network((start, 30))
        if not any(network.overlaps(other) for other in used):
            return network
    msg = "every private network of 10.0.0.0/8 is in use here"
    raise OSError(msg)


@dataclass
class Link:
    """The veth pair, seen from both namespaces."""

    near: Netlink
    near_index: int
    far: Netlink
    far_index: int
    near_address: str
    far_address: str
    lossy: LossyResponder = field(default_factory=LossyResponder)

    def obey(self, order: str) -> None:
        """Do what one line asks for."""
        match order:
            case "gone":
                self.far.delete_address(self.far_index, f"{self.far_address}/30")
            case "back":
                self.far.add_address(self.far_index, f"{self.far_address}/30")
            case "up" | "down":
                self.far.set_up(self.far_index, up=order == "up")
            case "answer" | "silent":
                self.lossy.stop()
                IGNORE_ECHO.write_text("0" if order == "answer" else "1", encoding="ascii")
            case _ if order.startswith("lose "):
                _, percent, seed = order.split()
                IGNORE_ECHO.write_text("1", encoding="ascii")
                self.lossy.start(int(percent) / 100, int(seed))
            case _:
                msg = f"unknown order {order}"
                raise OSError(msg)


def build() -> Link:
    """Make the namespace and the pair; this process is in the far namespace afterwards."""
    network = unused_network()
    near_address, far_address = map(str, network.hosts())
    near_namespace = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    near = Netlink()
    os.unshare(os.CLONE_NEWNET)
    far_namespace = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    far = Netlink()
    near_name = f"qbr{os.getpid()}"
    near.add_veth(near_name, FAR_NAME, far_namespace)
    os.setns(near_namespace, os.CLONE_NEWNET)
    near_index = socket.if_nametoindex(near_name)
    os.setns(far_namespace, os.CLONE_NEWNET)
    far_index = socket.if_nametoindex(FAR_NAME)
    near.add_address(near_index, f"{near_address}/30")
    far.add_address(far_index, f"{far_address}/30")
    far.set_up(socket.if_nametoindex("lo"), up=True)
    near.set_up(near_index, up=True)
    far.set_up(far_index, up=True)
    return Link(near, near_index, far, far_index, near_address, far_address)


def say(**words: str) -> None:
    """Answer with one line of JSON."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Build, obey until the input ends, and clean up."""
    try:
        link = build()
    except OSError as err:
        say(error=f"{err.strerror or err}")
        return
    say(target=link.far_address, near=link.near_address)
    try:
        for line in sys.stdin:
            try:
                link.obey(line.strip())
                say()
            except OSError as err:
                say(error=f"{err.strerror or err}")
    finally:
        link.near.delete_link(link.near_index)


if __name__ == "__main__":
    main()

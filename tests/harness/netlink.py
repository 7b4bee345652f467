"""The few network settings that are needed, by netlink: no iproute2 has to be installed."""

import ipaddress
import os
import socket
import struct

RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR, RTM_DELADDR = 16, 17, 20, 21
NLMSG_ERROR = 2
NLM_F_REQUEST, NLM_F_ACK, NLM_F_EXCL, NLM_F_CREATE = 0x1, 0x4, 0x200, 0x400
IFLA_IFNAME, IFLA_LINKINFO, IFLA_NET_NS_FD = 3, 18, 28
IFLA_INFO_KIND, IFLA_INFO_DATA, VETH_INFO_PEER = 1, 2, 1
IFA_ADDRESS, IFA_LOCAL = 1, 2
IFF_UP = 0x1
HEADER = struct.Struct("=IHHII")
LINK = struct.Struct("=BBHiII")
ADDRESS = struct.Struct("=BBBBI")


def attribute(kind: int, payload: bytes) -> bytes:
    """Return one netlink attribute, padded to four bytes."""
    return struct.pack("=HH", 4 + len(payload), kind) + payload + bytes(-len(payload) % 4)


def name_attribute(name: str) -> bytes:
    """Return the attribute for the name of an interface."""
    return attribute(IFLA_IFNAME, name.encode() + b"\0")


class Netlink:
    """A netlink socket; it stays in the namespace in which it was made."""

    def __init__(self) -> None:
        """Open it in the present network namespace."""
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
        )
        self._socket.bind((0, 0))
        self._sequence = 0

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def _request(self, kind: int, flags: int, body: bytes) -> None:
        """Send one request and raise OSError if the kernel refuses it."""
        self._sequence += 1
        flags |= NLM_F_REQUEST | NLM_F_ACK
        head = HEADER.pack(HEADER.size + len(body), kind, flags, self._sequence, 0)
        self._socket.send(head + body)
        answer = self._socket.recv(65536)
        _length, answered, _flags, _sequence, _port = HEADER.unpack_from(answer)
        if answered != NLMSG_ERROR:
            msg = f"netlink answered with message type {answered}"
            raise OSError(msg)
        (code,) = struct.unpack_from("=i", answer, HEADER.size)
        if code:
            raise OSError(-code, os.strerror(-code))

    def add_veth(self, name: str, peer: str, peer_namespace: int) -> None:
        """Make a veth pair whose other end is in the namespace of a descriptor."""
        far = LINK.pack(0, 0, 0, 0, 0, 0) + name_attribute(peer)
        far += attribute(IFLA_NET_NS_FD, struct.pack("=I", peer_namespace))
        info = attribute(IFLA_INFO_KIND, b"veth\0")
        info += attribute(IFLA_INFO_DATA, attribute(VETH_INFO_PEER, far))
        body = LINK.pack(0, 0, 0, 0, 0, 0) + name_attribute(name)
        body += attribute(IFLA_LINKINFO, info)
        self._request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body)

    def delete_link(self, index: int) -> None:
        """Delete an interface, and with a veth its other end."""
        self._request(RTM_DELLINK, 0, LINK.pack(0, 0, 0, index, 0, 0))

    def set_up(self, index: int, *, up: bool) -> None:
        """Switch an interface on or off."""
        self._request(RTM_NEWLINK, 0, LINK.pack(0, 0, 0, index, IFF_UP if up else 0, IFF_UP))

    def add_address(self, index: int, address: str) -> None:
        """Give an interface an IPv4 address, written as ADDRESS/LENGTH."""
        self._change_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, address)

    def delete_address(self, index: int, address: str) -> None:
        """Take an IPv4 address from an interface."""
        self._change_address(RTM_DELADDR, 0, index, address)

    def _change_address(self, kind: int, flags: int, index: int, address: str) -> None:
        interface = ipaddress.IPv4Interface(address)
        body = ADDRESS.pack(socket.AF_INET, interface.network.prefixlen, 0, 0, index)
        body += attribute(IFA_LOCAL, interface.packed) + attribute(IFA_ADDRESS, interface.packed)
        self._request(kind, flags, body)

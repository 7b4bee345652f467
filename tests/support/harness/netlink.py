"""The few network settings that are needed, by netlink: no iproute2 has to be installed."""

import ipaddress
import os
import socket
import struct

RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR, RTM_DELADDR, RTM_NEWROUTE = 16, 17, 20, 21, 24
NLMSG_ERROR = 2
NLM_F_REQUEST, NLM_F_ACK, NLM_F_EXCL, NLM_F_CREATE = 0x1, 0x4, 0x200, 0x400
IFLA_IFNAME, IFLA_LINKINFO, IFLA_NET_NS_FD = 3, 18, 28
IFLA_INFO_KIND, IFLA_INFO_DATA, VETH_INFO_PEER = 1, 2, 1
IFA_ADDRESS, IFA_LOCAL = 1, 2
IFA_F_NODAD = 0x2
RTA_OIF, RTA_GATEWAY, RTA_PRIORITY = 4, 5, 6
RT_TABLE_MAIN, RTPROT_BOOT, RT_SCOPE_UNIVERSE, RTN_UNICAST = 254, 3, 0, 1
IFF_UP = 0x1
HEADER = struct.Struct("=IHHII")
LINK = struct.Struct("=BBHiII")
ADDRESS = struct.Struct("=BBBBI")
ROUTE = struct.Struct("=BBBBBBBBI")


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
        """Give an interface an address, written as ADDRESS/LENGTH; it can be used at once."""
        self._change_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, address)

    def delete_address(self, index: int, address: str) -> None:
        """Take an address from an interface."""
        self._change_address(RTM_DELADDR, 0, index, address)

    def add_default_route(self, index: int, gateway: str, metric: int) -> None:
        """Send what has no other route to a gateway; of several routes the lowest metric wins."""
        address = ipaddress.ip_address(gateway)
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        kind = (RT_TABLE_MAIN, RTPROT_BOOT, RT_SCOPE_UNIVERSE, RTN_UNICAST)
        body = ROUTE.pack(family, 0, 0, 0, *kind, 0)
        body += attribute(RTA_GATEWAY, address.packed)
        body += attribute(RTA_OIF, struct.pack("=I", index))
        body += attribute(RTA_PRIORITY, struct.pack("=I", metric))
        self._request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, body)

    def _change_address(self, kind: int, flags: int, index: int, address: str) -> None:
        interface = ipaddress.ip_interface(address)
        family = socket.AF_INET if interface.version == 4 else socket.AF_INET6
        body = ADDRESS.pack(family, interface.network.prefixlen, IFA_F_NODAD, 0, index)
        body += attribute(IFA_LOCAL, interface.packed) + attribute(IFA_ADDRESS, interface.packed)
        self._request(kind, flags, body)

"""A peer that tells each client that comes which address it is seen at, as nearly all peers do."""

import ipaddress
import os
import socket
import threading
import time

from .world_tracker import Announce

PORT = 7000
PROTOCOL = b"\x13BitTorrent protocol"
EXTENSIONS = b"\0\0\0\0\0\x10\0\0"
"""Says that it knows extended messages (BEP 10)."""
EXTENDED, HANDSHAKE = 20, 0


def your_ip(address: str) -> bytes:
    """Return the extended handshake that tells a client its address."""
    packed = ipaddress.ip_address(address).packed
    body = b"d1:mde6:yourip%d:%be" % (len(packed), packed)
    return (2 + len(body)).to_bytes(4) + bytes((EXTENDED, HANDSHAKE)) + body


class Peer:
    """Listens on all addresses of IPv4; `notes` has who came, for which hash."""

    def __init__(self) -> None:
        """Listen, and serve in a thread of its own."""
        self.notes: list[Announce] = []
        self._listener = socket.create_server(("0.0.0.0", PORT))
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            client, (source, _) = self._listener.accept()
            threading.Thread(target=self._greet, args=(client, source), daemon=True).start()

    def _greet(self, client: socket.socket, source: str) -> None:
        """Shake hands, tell the address, and stay until the client goes."""
        client.settimeout(60)
        try:
            with client, client.makefile("rb") as stream:
                hello = stream.read(len(PROTOCOL) + len(EXTENSIONS) + 40)
                info_hash = hello[28:48]
                self.notes.append(Announce(source, info_hash.hex(), time.time()))
                own_id = b"-QR0001-" + os.urandom(12)
                client.sendall(PROTOCOL + EXTENSIONS + info_hash + own_id + your_ip(source))
                while stream.read1(4096):
                    pass
        except OSError:
            return

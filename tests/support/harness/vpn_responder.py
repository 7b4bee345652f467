"""Answers echoes in place of the kernel, and loses some of them: no kernel module is needed."""

import contextlib
import random
import socket
import threading

ECHO_REQUEST = 8
POLL_SECONDS = 0.1


def checksum(data: bytes) -> int:
    """Return the Internet checksum of a packet (RFC 1071)."""
    padded = data + bytes(len(data) % 2)
    total = sum(int.from_bytes(padded[at : at + 2]) for at in range(0, len(padded), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def icmp(kind: int, code: int, rest: bytes) -> bytes:
    """Return an ICMP message; `rest` is all that follows the checksum."""
    head = bytes((kind, code))
    return head + checksum(head + bytes(2) + rest).to_bytes(2) + rest


class LossyResponder:
    """Answers the echoes that come into the namespace of its thread, but for some."""

    def __init__(self) -> None:
        """Answer nothing yet."""
        self._thread: threading.Thread | None = None
        self._over = threading.Event()

    def start(self, loss: float, seed: int) -> None:
        """Begin, and lose this fraction of the echoes."""
        self.stop()
        self._over.clear()
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        raw.settimeout(POLL_SECONDS)
        chance = random.Random(seed)
        self._thread = threading.Thread(target=self._run, args=(raw, loss, chance), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, if it runs."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, raw: socket.socket, loss: float, chance: random.Random) -> None:
        with raw:
            while not self._over.is_set():
                with contextlib.suppress(OSError):
                    packet, source = raw.recvfrom(2048)
                    message = packet[4 * (packet[0] & 0xF) :]
                    if message[0] == ECHO_REQUEST and chance.random() >= loss:
                        raw.sendto(icmp(0, 0, message[4:]), source)

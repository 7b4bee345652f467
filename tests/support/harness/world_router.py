"""The part of a home's router that answers who asks for a port mapping (NAT-PMP, RFC 6886)."""

import socket
import threading

PORT = 5351
UNSUPPORTED_VERSION = 1
ADDRESS, MAP_UDP, MAP_TCP = 0, 1, 2
ANSWER = 128
LIFETIME = 3600


class Router:
    """Answers on one address, and names another as that of its home."""

    def __init__(self, address: str, home: str) -> None:
        """Listen, and serve in a thread of its own."""
        self._home = socket.inet_aton(home)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, PORT))
        self._over = False
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        """Answer nobody any more."""
        self._over = True
        self._socket.sendto(b"", self._socket.getsockname())

    def answer(self, asked: bytes) -> bytes | None:
        """Return the answer to a datagram, or None for one that makes no sense."""
        if len(asked) < 2:
            return None
        version, operation = asked[:2]
        seconds = bytes(4)
        head = bytes((0, ANSWER + operation))
        if version:
            return head + UNSUPPORTED_VERSION.to_bytes(2) + seconds
        if operation == ADDRESS:
            return head + bytes(2) + seconds + self._home
        if operation in (MAP_UDP, MAP_TCP) and len(asked) >= 12:
            port = asked[4:6]
            return head + bytes(2) + seconds + port + port + LIFETIME.to_bytes(4)
        return None

    def _run(self) -> None:
        with self._socket:
            while not self._over:
                asked, source = self._socket.recvfrom(1100)
                if (answer := self.answer(asked)) is not None:
                    self._socket.sendto(answer, source)

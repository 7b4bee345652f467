"""A SOCKS5 proxy (RFC 1928) that connects from an address of its own, as a provider's does."""

import contextlib
import socket
import threading

PORT = 1080
VERSION, NO_LOGIN, CONNECT, IPV4, NAME = 5, 0, 1, 1, 3
GRANTED, FAILED, NOT_SUPPORTED = 0, 1, 7


def pump(source: socket.socket, target: socket.socket) -> None:
    """Pass on what comes until one side has had enough, then hang up on both."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for one in (source, target):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def both_ways(one: socket.socket, other: socket.socket) -> None:
    """Pass on in both directions until one side has had enough."""
    way = threading.Thread(target=pump, args=(one, other), daemon=True)
    way.start()
    pump(other, one)
    way.join()


class SocksProxy:
    """Listens in the namespace in which it is made, and connects from the address `outside`."""

    def __init__(self, address: str, outside: str) -> None:
        """Listen, and serve in a thread of its own."""
        self._outside = outside
        self._listener = socket.create_server((address, PORT))
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            client, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(60)
        with client, contextlib.suppress(OSError, IndexError):
            stream = client.makefile("rb", buffering=0)
            _version, methods = stream.read(2) or b""
            stream.read(methods)
            client.sendall(bytes((VERSION, NO_LOGIN)))
            _version, command, _, kind = stream.read(4) or b""
            if kind == IPV4:
                host = socket.inet_ntoa(stream.read(4) or b"")
            elif kind == NAME:
                host = (stream.read((stream.read(1) or b"")[0]) or b"").decode()
            else:
                self._say(client, NOT_SUPPORTED)
                return
            port = int.from_bytes(stream.read(2) or b"")
            if command != CONNECT:
                self._say(client, NOT_SUPPORTED)
                return
            self._connect(client, host, port)

    def _connect(self, client: socket.socket, host: str, port: int) -> None:
        try:
            far = socket.create_connection((host, port), 10, (self._outside, 0))
        except OSError:
            self._say(client, FAILED)
            return
        with far:
            self._say(client, GRANTED)
            both_ways(client, far)

    @staticmethod
    def _say(client: socket.socket, verdict: int) -> None:
        client.sendall(bytes((VERSION, verdict, 0, IPV4, 0, 0, 0, 0, 0, 0)))

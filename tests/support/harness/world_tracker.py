"""A tracker that tells each client the address it comes from, and notes who announced what."""

from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import ipaddress
import socket
import threading
import time
from typing import override
from urllib.parse import unquote_to_bytes

PORT = 6969
SECONDS = 2
"""The interval that it asks for; qBittorrent takes it for the least and comes far more seldom."""


@dataclass(frozen=True)
class Announce:
    """One announce: who came (the address that the tracker saw), for which hash, when."""

    source: str
    info_hash: str
    time: float
    """Seconds of the wall clock."""


def answer(external: str) -> bytes:
    """Return an answer without peers that names the address at which the client is seen."""
    address = ipaddress.ip_address(external).packed
    head = b"d11:external ip%d:%b" % (len(address), address)
    return head + b"8:intervali%de12:min intervali%de5:peers0:e" % (SECONDS, SECONDS)


class Tracker:
    """Listens on these addresses of the namespace in which it is made.

    `claims` are the addresses that it tells instead of those that it sees.
    """

    def __init__(self, *addresses: str) -> None:
        """Listen, and serve in threads of its own."""
        self.notes: list[Announce] = []
        self.claims: Mapping[str, str] = {}
        for address in addresses:
            server = _Server(self, address)
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def announced(self, source: str, query: str) -> bytes:
        """Note an announce and return the answer."""
        fields = dict(one.partition("=")[::2] for one in query.split("&"))
        info_hash = unquote_to_bytes(fields.get("info_hash", "")).hex()
        self.notes.append(Announce(source, info_hash, time.time()))
        return answer(self.claims.get(source, source))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, tracker: Tracker, address: str) -> None:
        self.tracker = tracker
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address, PORT), _Handler)

    @override
    def server_bind(self) -> None:
        """Bind, and look no name up."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "tracker", PORT


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:  # the base class finds it by this name
        path, _, query = self.path.partition("?")
        if path != "/announce":
            self.send_error(404)
            return
        body = self.server.tracker.announced(str(self.client_address[0]), query)
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the notes are what counts."""

"""The log of one server process, as log/main tells it."""

from collections import deque
from collections.abc import Mapping
from typing import Any

from .dialect import Dialect

NORMAL, INFO, WARNING, CRITICAL = 1, 2, 4, 8
_FILTERS = {"normal": NORMAL, "info": INFO, "warning": WARNING, "critical": CRITICAL}
_KEPT = 20_000


class Journal:
    """Messages with ids from 0, gone with the process; only the last 20,000 are kept."""

    def __init__(self, dialect: Dialect, now: float) -> None:
        """Write what a server says when it starts."""
        self._messages: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._next_id = 0
        for kind, text in dialect.first_messages:
            self.write(text, kind, now)
        for kind, text in (
            (NORMAL, f"qBittorrent {dialect.version} started{dialect.process_text}"),
            (NORMAL, "Using config directory: /profile/qBittorrent/config"),
            (NORMAL, 'Trying to listen on the following list of IP addresses: "127.0.0.1:6881"'),
            (INFO, f'Peer ID: "-qB{dialect.name.replace(".", "")}0-"'),
            (INFO, f'HTTP User-Agent: "qBittorrent/{dialect.name}"'),
            (INFO, "Distributed Hash Table (DHT) support: OFF"),
            (INFO, "Local Peer Discovery support: OFF"),
            (INFO, "Peer Exchange (PeX) support: OFF"),
            (INFO, "Anonymous mode: OFF"),
            (INFO, "Encryption support: ON"),
        ):
            self.write(text, kind, now)

    def write(self, text: str, kind: int, now: float) -> int:
        """Add a message; return its id."""
        number = self._next_id
        self._messages.append({"id": number, "message": text, "timestamp": int(now), "type": kind})
        self._next_id += 1
        return number

    def select(self, params: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the messages that a request asks for."""
        wanted = {
            kind for name, kind in _FILTERS.items() if params.get(name, "").lower() != "false"
        }
        try:
            last_known = int(params.get("last_known_id", "-1"))
        except ValueError:
            last_known = -1
        return [
            message
            for message in self._messages
            if message["type"] in wanted and message["id"] > last_known
        ]

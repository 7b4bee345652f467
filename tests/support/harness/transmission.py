"""A real transmission-daemon, sealed on loopback: what Home Assistant's own action talks to."""

import json
import os
from pathlib import Path
import time

from .process import Process, StartError, UnavailableError, clean_environment, free_port
from .qbittorrent import cache_folder

# Nothing calls out, and nothing that is added starts.
SEALED = {
    "bind-address-ipv4": "127.0.0.1",
    "bind-address-ipv6": "::1",
    "dht-enabled": False,
    "lpd-enabled": False,
    "pex-enabled": False,
    "port-forwarding-enabled": False,
    "rpc-authentication-required": False,
    "rpc-bind-address": "127.0.0.1",
    "rpc-host-whitelist-enabled": False,
    "start-added-torrents": False,
    "utp-enabled": False,
}


class Transmission:
    """One daemon in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        """Write its settings; raises UnavailableError where there is none."""
        self._program = cache_folder() / "transmission" / "transmission-daemon"
        if not os.access(self._program, os.X_OK):
            msg = "no transmission-daemon here: run script/setup peers"
            raise UnavailableError(msg)
        self.port = free_port()
        self._folder = folder
        folder.mkdir(parents=True)
        settings = SEALED | {"rpc-port": self.port, "peer-port": free_port()}
        settings |= {"download-dir": str(folder / "downloads")}
        (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        self._process: Process | None = None

    def start(self, seconds: float = 30) -> None:
        """Start it and wait until it listens."""
        command = [str(self._program), "--foreground", "--config-dir", str(self._folder)]
        env = clean_environment() | {"HOME": str(self._folder)}
        self._process = Process(command, self._folder / "output.log", env=env)
        deadline = time.monotonic() + seconds
        while f"on port {self.port}" not in self._log() and "Serving RPC" not in self._log():
            if not self._process.running or time.monotonic() > deadline:
                self.kill()
                msg = f"transmission-daemon did not start: {self._process.tail(3)}"
                raise StartError(msg)
            time.sleep(0.05)

    def kill(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()

    def _log(self) -> str:
        return (self._folder / "output.log").read_text(encoding="utf-8", errors="replace")

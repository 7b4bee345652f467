"""Programs that a test or the demo starts, and that never outlive it."""

from collections.abc import Mapping, Sequence
import contextlib
import os
from pathlib import Path
import secrets
import signal
import socket
import subprocess
import sys
import threading

LAUNCHER = Path(__file__).with_name("launch.py")
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy", "no_proxy")


class StartError(Exception):
    """A real part did not start; the text says why, in one line."""


class UnavailableError(StartError):
    """A real part cannot be had on this machine; the text says what to do."""


def free_port(address: str = "127.0.0.1") -> int:
    """Return a TCP port that nobody uses, and that no connection gets for its own end.

    A port that the kernel gives out (`bind` to 0) may become the near end of a connection
    before the server that it is meant for is up: under load, that happens.
    """
    ports = list(range(10_000, _first_ephemeral()))
    while True:
        port = secrets.choice(ports)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind((address, port))
            return port


def _first_ephemeral() -> int:
    """Return the first port that the kernel gives out (ip(7), ip_local_port_range)."""
    first = int(_EPHEMERAL.read_text(encoding="ascii").split()[0])
    return first if first > 11_000 else 32_768


def clean_environment() -> dict[str, str]:
    """Return this environment without proxies and without what slows Python down."""
    unwanted = {*PROXIES, *(name.upper() for name in PROXIES), "PYTHONDONTWRITEBYTECODE"}
    return {name: value for name, value in os.environ.items() if name not in unwanted}


class Process:
    """A program with its output in a file; the kernel kills it when this one dies."""

    def __init__(
        self,
        command: Sequence[str],
        output: Path,
        *,
        env: Mapping[str, str] | None = None,
        netns: str | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Start it; PATHs of network namespaces are for example /proc/PID/ns/net."""
        # The kernel watches the thread that started it, and only the main one stays.
        main = threading.current_thread() is threading.main_thread()
        parent = os.getpid() if main else 0
        python = [sys.executable, "-I", "-S", str(LAUNCHER), str(parent), netns or ""]
        self.output = output
        with output.open("ab") as file:
            self._popen = subprocess.Popen(
                [*python, *command],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=dict(env) if env is not None else clean_environment(),
                cwd=cwd,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._popen.pid

    @property
    def status(self) -> int | None:
        """Return its exit status, or None while it runs."""
        return self._popen.poll()

    @property
    def running(self) -> bool:
        """Return whether it runs; frozen counts as running."""
        return self.status is None

    def terminate(self) -> None:
        """Ask it to stop in order, frozen or not."""
        self._signal(signal.SIGTERM)
        self.thaw()

    def wait(self, seconds: float) -> int | None:
        """Wait for its end, and return its exit status or None if it still runs."""
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        """End it at once, as a crash does."""
        if self.running:
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()

    def freeze(self) -> None:
        """Stop it in its tracks: its ports stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on after a freeze."""
        self._signal(signal.SIGCONT)

    def tail(self, lines: int = 5) -> str:
        """Return the end of its output."""
        text = self.output.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it is still there."""
        if self._popen.poll() is None:
            self._popen.send_signal(number)

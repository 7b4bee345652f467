"""`FakeQBittorrent`: a real HTTP server on 127.0.0.1 that answers as one version of qBittorrent."""

import asyncio
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
import secrets
import socket
import ssl
import string
from tempfile import TemporaryDirectory
import time
from types import TracebackType
from typing import Literal, Self

from aiohttp import web

from tests.support.harness.certificate import self_signed

from .access import Access, Settings
from .answer import Answer
from .api import Api
from .dialect import V5_3, Dialect
from .faults import Faults
from .journal import CRITICAL, INFO, NORMAL, Journal
from .listener import Listener
from .network import Network
from .record import Received, Record
from .torrents import AddOptions, Torrent, TorrentList
from .wire import Wire

AGE_SECONDS = 1000
"""How long a new server has been running: nobody adds a server the moment that it starts."""
_MAX_LINE = 8 * 2**20
_KEY_LETTERS = string.ascii_letters + string.digits


class FakeQBittorrent:
    """One server; its port stays the same through every restart.

    Change `settings`, `torrents`, `faults`, `network` at any time; read `record`.
    `on_request` is called with each request right before it is executed, `in_front` before that: it
    may answer in the server's place, as a proxy does (proxies.py).
    """

    def __init__(
        self,
        dialect: Dialect = V5_3,
        *,
        port: int = 0,
        own_port: int = 0,
        https: bool = False,
        prefix: str = "",
        username: str = "admin",
        password: str = "secret",
        api_key: str = "",
        local_host_auth: bool = True,
    ) -> None:
        """Prepare; `own_port` is what the server believes, `prefix` what a proxy puts before it."""
        self.dialect = dialect
        self.https = https
        self.prefix = prefix.rstrip("/")
        self.port = port
        self.settings = Settings(username, password, api_key, own_port, local_host_auth)
        self.record = Record()
        self.faults = Faults()
        self.torrents = TorrentList(dialect, self.now, self._added)
        self.connection_status = "connected"
        self.network = Network(self)
        self.free_space = 80_000_000_000
        self.resume_data = "Legacy"
        """How resume data is to be stored; that is so from the next start on."""
        self.disk_full = False
        self.launch_time = int(self.now()) - AGE_SECONDS
        self.on_request: Callable[[Received], object] = lambda received: None
        self.in_front: Callable[[Received], Answer | None] = lambda received: None
        self.api = Api(self)
        self._wire = Wire(self)
        self._http: web.Server | None = None
        self._listener: Listener | None = None
        self._reserved: socket.socket | None = None
        self._shutdown: asyncio.Task[None] | None = None
        self._begin_process(self.launch_time)

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()

    @property
    def url(self) -> str:
        """The address for a client, without a closing slash."""
        return f"{'https' if self.https else 'http'}://127.0.0.1:{self.port}{self.prefix}"

    @property
    def is_listening(self) -> bool:
        """Whether connections are accepted."""
        return self._listener is not None

    @property
    def hashes(self) -> set[str]:
        """The `hash` of every listed torrent."""
        return {torrent.torrent_id for torrent in self.torrents}

    @property
    def requests(self) -> list[Received]:
        """Everything that came in, oldest first."""
        return self.record.requests

    @property
    def adds(self) -> list[list[str]]:
        """The sources of each torrents/add that came in completely."""
        return self.record.adds

    @property
    def logins(self) -> list[Received]:
        """The log-in attempts."""
        return self.record.requests_to("auth/login")

    def requests_to(self, endpoint: str) -> list[Received]:
        """Return the requests to one endpoint, such as `torrents/add`."""
        return self.record.requests_to(endpoint)

    def now(self) -> float:
        """Return the server's time; a frozen test clock freezes it too."""
        return time.time()

    def wall(self) -> float:
        """Return what its clock says, in its log and its answers; somebody may have set that."""
        return self.now()

    async def start(self) -> None:
        """Listen for the first time."""
        self._reserve_port()
        self.settings.own_port = self.settings.own_port or self.port
        await self.listen()

    async def stop(self) -> None:
        """Stop for good."""
        if self._shutdown is not None:
            self._shutdown.cancel()
        await self.refuse()
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None

    async def listen(self) -> None:
        """Accept connections (again), on the same port."""
        if self._listener is not None or self._reserved is None:
            return
        self._http = web.Server(
            self._wire.handle,
            access_log=None,
            keepalive_timeout=8,
            lingering_time=0,
            max_line_size=_MAX_LINE,
            max_field_size=_MAX_LINE,
        )

        self._listener = Listener(
            self._reserved, self._accepted, tls=tls()[0] if self.https else None
        )

    def _accepted(self) -> asyncio.Protocol:
        """Count a connection, and return what serves it."""
        if self._http is None:
            raise RuntimeError("the server has never listened")
        self.record.connections += 1
        return self._http()

    async def refuse(self) -> None:
        """Cut all connections and refuse new ones; the state stays."""
        if (listener := self._listener) is not None:
            self._listener = None
            listener.close()
            self._reserve_port()
        if self._http is not None:
            for connection in self._http.connections:
                if connection.transport is not None:
                    connection.transport.abort()
            await self._wire.abandon()
            await self._http.shutdown(0)
        if listener is not None:
            await listener.wait_closed()

    async def restart(
        self, keep: Literal["all", "none"] | Iterable[str] = "all", *, down: float = 0
    ) -> None:
        """Kill the process and start it; only the torrents with a hash in `keep` were on disk.

        "all" are those that could be saved.
        """
        await self.refuse()
        self.torrents.forget_unsaved()
        if keep != "all":
            self.torrents.keep_only([] if keep == "none" else keep)
        await asyncio.sleep(down)
        self._begin_process()
        await self.listen()

    def freeze(self) -> None:
        """Answer nothing, as if stopped by SIGSTOP; what comes in is executed on `thaw()`."""
        self._wire.running.clear()

    async def thaw(self) -> None:
        """Go on; when this returns, all that came in while frozen has been executed."""
        self._wire.running.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    def add(self, *sources: str, category: str = "", stopped: bool = False) -> None:
        """Put torrents into the list, as if by the user's own hand."""
        self.torrents.add(sources, AddOptions(category=category, stopped=stopped))

    def become_hybrid(self, v1_hash: str, v2_hash: str) -> None:
        """Let the metadata of a hybrid torrent arrive: from now its `hash` is the v2 one."""
        self.torrents.become_hybrid(v1_hash, v2_hash)

    def expire_sessions(self) -> None:
        """End all log-in sessions."""
        self.access.sessions.clear()

    def ban(self, remote: str = "127.0.0.1") -> None:
        """Ban an address."""
        self.access.ban(remote)

    def clear_bans(self) -> None:
        """Lift all bans."""
        self.access.clear_bans()

    def log(self, text: str, kind: int = INFO) -> int:
        """Write a message into the server's log; return its id."""
        return self.journal.write(text, kind, self.wall())

    def say_not_saving(self, reason: str = "No space left on device") -> int:
        """Log that resume data cannot be saved."""
        path = f"/profile/qBittorrent/data/BT_backup/{secrets.token_hex(20)}.fastresume"
        text = f"Couldn't save torrent resume data to '{path}'. Error: {reason}"
        return self.log(text, CRITICAL)

    def _added(self, torrent: Torrent) -> None:
        """Log what was added, and that it cannot be saved where the server says so."""
        self.log(f'Added new torrent. Torrent: "{torrent.name}"', NORMAL)
        torrent.saved = not self.disk_full
        if torrent.saved:
            return
        if self._stores_in == "Legacy":
            self.say_not_saving()
        elif self.dialect.logs_failed_sqlite:
            text = f"Couldn't store resume data for torrent '{torrent.torrent_id}'. Error: full"
            self.log(text, CRITICAL)

    def new_api_key(self) -> str:
        """Replace the API key."""
        key = "".join(secrets.choice(_KEY_LETTERS) for _ in range(28))
        self.settings.api_key = f"qbt_{key}"
        return self.settings.api_key

    def shut_down_soon(self) -> None:
        """Refuse connections once the current answer is out."""

        async def shut_down() -> None:
            await asyncio.sleep(0.01)
            await self.refuse()

        self._shutdown = asyncio.get_running_loop().create_task(shut_down())

    def _begin_process(self, at: int | None = None) -> None:
        """Begin with fresh sessions, bans, log and launch time, of which two may have the same."""
        self.access = Access(self.dialect, self.settings, self.now)
        self._stores_in = self.resume_data
        self.launch_time = int(self.wall()) if at is None else at
        self.journal = Journal(self.dialect, self.launch_time)
        self.network.external.clear()
        self._wire.running.set()

    def _reserve_port(self) -> None:
        """Bind the port without listening: connections are refused, nobody else can take it."""
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.setblocking(False)
        self._reserved.bind(("127.0.0.1", self.port))
        self.port = self._reserved.getsockname()[1]


def certificate() -> bytes:
    """Return the PEM that a client has to trust for https."""
    return tls()[1]


@cache
def tls() -> tuple[ssl.SSLContext, bytes]:
    """Return a server context and its certificate, the same for the whole test run."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with TemporaryDirectory() as folder:
        certificate_file, key_file = self_signed(Path(folder), ["127.0.0.1"], days=3650)
        context.load_cert_chain(certificate_file, key_file)
        return context, certificate_file.read_bytes()

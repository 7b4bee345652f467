"""A real Home Assistant in a folder of its own: start, set up a user, stop, kill, restart."""

import asyncio
from collections.abc import Callable
import os
from pathlib import Path
import secrets
import time
from types import TracebackType
from typing import Any, Self

import aiohttp

from .home_assistant_api import Api, ApiError
from .home_assistant_config import write_config
from .process import Process, StartError, UnavailableError, clean_environment, free_port

ROOT = Path(__file__).parents[3]
DOMAIN = "qbittorrent_resilient"
RUNNING = "RUNNING"


def default_program() -> Path:
    """Return the hass of the newest Home Assistant, or raise UnavailableError."""
    program = Path(os.environ.get("QBR_HASS") or ROOT / ".venv-latest" / "bin" / "hass")
    if not os.access(program, os.X_OK):
        msg = "no Home Assistant 2026.11 here: run script/setup latest"
        raise UnavailableError(msg)
    return program


class HomeAssistant:
    """One Home Assistant with the project's integration; a restart keeps all of its state."""

    def __init__(
        self,
        folder: Path,
        *,
        program: Path | None = None,
        components: Path = ROOT / "custom_components",
        port: int | None = None,
        address: str = "127.0.0.1",
        netns: str | None = None,
        log_level: str = "info",
    ) -> None:
        """Write its configuration; nothing is started yet."""
        self.folder = folder.resolve()
        self.port = port or free_port("127.0.0.1" if netns else address)
        self.url = f"http://{address}:{self.port}"
        self.username, self.password = "demo", secrets.token_urlsafe(9)
        self.token = ""
        self._program = program or default_program()
        self._netns = netns
        self._process: Process | None = None
        self._api: Api | None = None
        write_config(
            self.folder, components, self.port, address=address, level=log_level, domain=DOMAIN
        )

    @property
    def process(self) -> Process:
        """Return its process; it has to have been started."""
        if self._process is None:
            msg = "Home Assistant has not been started"
            raise StartError(msg)
        return self._process

    @property
    def api(self) -> Api:
        """Return the API as the user that was made at the first start."""
        if self._api is None:
            msg = "Home Assistant has not been started"
            raise StartError(msg)
        return self._api

    async def start(
        self, seconds: float = 180, progress: Callable[[float], None] | None = None
    ) -> None:
        """Start it and wait until it has started fully; the first time, make the user."""
        env = clean_environment() | {"HOME": str(self.folder)}
        command = [str(self._program), "-c", str(self.folder), "--ignore-os-check"]
        command += ["--skip-pip", "--log-no-color"]
        began = time.monotonic()
        self._process = Process(
            command, self.folder / "output.log", env=env, netns=self._netns, cwd=self.folder
        )
        while not await self._ready():
            if not self._process.running:
                msg = f"Home Assistant exited: {self._process.tail(3)}"
                raise StartError(msg)
            if time.monotonic() - began > seconds:
                await self.kill()
                msg = f"Home Assistant did not start within {seconds:.0f} s"
                raise StartError(msg)
            if progress:
                progress(time.monotonic() - began)
            await asyncio.sleep(0.1)

    async def stop(self, seconds: float = 60) -> int | None:
        """Stop it in order, as a supervisor does; return its exit status."""
        await self._close_api()
        if self._process is None:
            return None
        self._process.terminate()
        deadline = time.monotonic() + seconds
        while self._process.running and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        if self._process.running:
            self._process.kill()
        return self._process.status

    async def kill(self) -> None:
        """End it as a power cut does."""
        await self._close_api()
        if self._process is not None:
            self._process.kill()

    async def restart(self, progress: Callable[[float], None] | None = None) -> None:
        """Stop it in order and start it again."""
        await self.stop()
        await self.start(progress=progress)

    def log(self) -> str:
        """Return all that it has logged, over restarts."""
        return (self.folder / "output.log").read_text(encoding="utf-8", errors="replace")

    async def __aenter__(self) -> Self:
        """Start it."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it, whatever it is doing."""
        await self.kill()

    async def _close_api(self) -> None:
        """Close the session of the user."""
        if self._api is not None:
            await self._api.close()
            self._api = None

    async def _ready(self) -> bool:
        """Return whether it answers and has set up everything."""
        try:
            if not self.token:
                self.token = await self._onboard()
            if self._api is None:
                self._api = Api(self.url, self.token)
            found = await self._api.get("/api/config")
        except ApiError, aiohttp.ClientError, TimeoutError:
            return False
        if found["recovery_mode"]:
            msg = f"Home Assistant could not be set up as wished: {self.process.tail(10)}"
            raise StartError(msg)
        return bool(found["state"] == RUNNING)

    async def _onboard(self) -> str:
        """Make the user as the welcome page does, and return a token that lasts."""
        client_id = f"{self.url}/"
        async with Api(self.url, timeout=20) as guest:
            # An answer here means that the onboarding can be asked for.
            await guest.get("/api/onboarding")
            user = {"name": "Demo", "username": self.username, "password": self.password}
            user |= {"client_id": client_id, "language": "en"}
            code = (await guest.post("/api/onboarding/users", user))["auth_code"]
            form = {"grant_type": "authorization_code", "code": code, "client_id": client_id}
            tokens: dict[str, Any] = await guest.post_form("/auth/token", form)
        async with Api(self.url, tokens["access_token"]) as user_api:
            done = {"client_id": client_id, "redirect_uri": client_id}
            await user_api.post("/api/onboarding/integration", done)
            return str(
                await user_api.command(
                    "auth/long_lived_access_token", client_name="Demo", lifespan=30
                )
            )

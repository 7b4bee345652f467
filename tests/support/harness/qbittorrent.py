"""A real qBittorrent server, sealed on loopback: start, stop, kill, freeze, ask."""

from collections.abc import Mapping, Sequence
import http.client
import os
from pathlib import Path
import secrets
import string
import time
from typing import Any, Literal

from .certificate import self_signed
from .process import Process, StartError, UnavailableError, clean_environment, free_port
from .qbittorrent_client import Client
from .qbittorrent_profile import parse_extra, password_hash, quoted, sealed_settings, write_profile

VERSIONS = {"bookworm": "4.5.2", "trixie": "5.1.0", "forky": "5.3.0"}
"""The releases, by the Debian suite that has them."""
BUILDS = VERSIONS | {"trixie-backports": "5.3.0 with libtorrent 2.0.11"}
"""All servers there are: one release is there in two builds, as some answers go by libtorrent."""

type Auth = Literal["password", "bypass", "api_key"]


def cache_folder() -> Path:
    """Return the folder into which script/setup puts what it downloads."""
    if cache := os.environ.get("QBR_CACHE"):
        return Path(cache)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "qbittorrent-resilient"


def binary(suite: str) -> Path:
    """Return the program of a suite, or raise UnavailableError."""
    program = cache_folder() / "qbittorrent" / suite / "qbittorrent-nox"
    if not os.access(program, os.X_OK):
        msg = f"no qBittorrent {BUILDS[suite]} ({suite}) here: run script/setup servers"
        raise UnavailableError(msg)
    return program


def new_api_key() -> str:
    """Return a key of the form that 5.2 and newer take."""
    letters = string.ascii_letters + string.digits
    return "qbt_" + "".join(secrets.choice(letters) for _ in range(28))


class QBittorrent:
    """One server with a profile of its own; restarting it keeps the profile and the port."""

    def __init__(
        self,
        folder: Path,
        suite: str = "forky",
        *,
        auth: Auth = "password",
        https: bool = False,
        username: str = "admin",
        password: str = "correct horse",
        address: str = "127.0.0.1",
        port: int | None = None,
        netns: str | None = None,
        wrapper: Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Write the profile; `settings` are more lines for it, {"Group/KEY/SUBKEY": value}.

        With `netns` (the `netns` of a Vpn) it runs in that namespace; give it an address there.
        `wrapper` is a command that runs the one at its end; its HOME is the profile.
        """
        self.suite, self.auth, self.netns, self.wrapper = suite, auth, netns, wrapper
        self.username, self.password = username, password
        self.api_key = new_api_key() if auth == "api_key" else ""
        self.port = port or free_port("127.0.0.1" if netns else address)
        self.url = f"http{'s' if https else ''}://{address}:{self.port}"
        self.profile = folder.resolve()
        self.profile.mkdir(parents=True, exist_ok=True)
        self.certificate: Path | None = None
        self.version, *_ = BUILDS[suite].split()
        self.client = Client(self.url, username, password, self.api_key)
        self._process: Process | None = None
        web = {
            "Enabled": "true",
            "Address": address,
            "Port": str(self.port),
            "Username": quoted(username),
            "Password_PBKDF2": password_hash(password),
            "LocalHostAuth": "false" if auth == "bypass" else "true",
            "HTTPS\\Enabled": "true" if https else "false",
        }
        if self.api_key:
            web["APIKey"] = self.api_key
        if https:
            self.certificate, key = self_signed(self.profile, [address])
            web["HTTPS\\CertificatePath"] = quoted(str(self.certificate))
            web["HTTPS\\KeyPath"] = quoted(str(key))
        downloads = quoted(str(self.profile / "downloads"))
        write_profile(
            self.profile,
            sealed_settings()
            | {("Preferences", f"WebUI\\{name}"): value for name, value in web.items()}
            | {("BitTorrent", "Session\\DefaultSavePath"): downloads}
            | {("BitTorrent", "Session\\Port"): str(free_port())}
            | parse_extra(settings or {}),
        )

    @property
    def process(self) -> Process:
        """Return its process; it has to have been started."""
        if self._process is None:
            msg = f"qBittorrent {self.version} has not been started"
            raise StartError(msg)
        return self._process

    @property
    def running(self) -> bool:
        """Return whether it runs; frozen counts as running."""
        return self._process is not None and self._process.running

    def start(self, seconds: float = 30) -> None:
        """Start it and wait until its web interface answers."""
        program = binary(self.suite)
        if self.answers():  # it would run on without a web interface
            msg = f"port {self.port} is taken"
            raise StartError(msg)
        home = {f"XDG_{name}_HOME": str(self.profile) for name in ("DATA", "CONFIG", "CACHE")}
        env = clean_environment() | home | {"HOME": str(self.profile)}
        command = [*self.wrapper, str(program), f"--profile={self.profile}"]
        self._process = Process(command, self.profile / "output.log", env=env, netns=self.netns)
        deadline = time.monotonic() + seconds
        while not self.answers():
            if not self._process.running:
                msg = f"qBittorrent {self.version} exited: {self._process.tail(3)}"
                raise StartError(msg)
            if time.monotonic() > deadline:
                self.kill()
                msg = f"qBittorrent {self.version} did not answer within {seconds:.0f} s"
                raise StartError(msg)
            time.sleep(0.05)

    def answers(self) -> bool:
        """Return whether its web interface answers, whatever it says."""
        try:
            self.client.raw("GET", "app/version")
        except OSError, http.client.HTTPException:
            return False
        return True

    def stop(self, seconds: float = 15) -> None:
        """Stop it in order, as a service manager does."""
        if self._process is not None and self._process.running:
            self._process.terminate()
            if self._process.wait(seconds) is None:
                self._process.kill()

    def kill(self) -> None:
        """End it as a crash does."""
        if self._process is not None:
            self._process.kill()

    def restart(self) -> None:
        """Stop it in order and start it again."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Make it hang: connections are accepted, and nothing is answered."""
        self.process.freeze()

    def thaw(self) -> None:
        """Let it go on; it runs what was sent meanwhile."""
        self.process.thaw()

    def torrents(self) -> list[dict[str, Any]]:
        """Return the torrents that it lists."""
        return self.client.torrents()

    def hashes(self) -> set[str]:
        """Return the info-hashes that it lists: v1 where there is one, else v2."""
        return {
            torrent.get("infohash_v1") or torrent.get("infohash_v2") or torrent["hash"]
            for torrent in self.torrents()
        }

"""What callers pass to the client: where a server is, what is added, and how."""

from copy import replace
from dataclasses import dataclass, field
from typing import Protocol

LAST_SECOND = 253_402_300_799.0
"""The end of the year 9999, in epoch seconds: no calendar goes further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Where a server's web interface is, and what to log in with.

    `url` is as `url.normalise_url` returns it. An API key (5.2 and newer) is used in place of
    user name and password; without any of the three, the server has to let this host in without a
    login.

    `proxy_username`, `proxy_password` (HTTP Basic) and `headers` (names and values, as
    `proxy.parse_headers` returns them) are for what stands in front of the server. The API key is
    sent in the place of the proxy's login, as HTTP has one header for both.
    """

    url: str
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    proxy_username: str = field(default="", repr=False)
    proxy_password: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def credentials(self) -> tuple[str, ...]:
        """Return what a refusal depends on: if any part changes, a login may be tried again."""
        own = (self.url, self.username, self.password, self.api_key)
        headers = (f"{name}: {value}" for name, value in self.headers)
        return (*own, self.proxy_username, self.proxy_password, *headers)

    @property
    def has_proxy_login(self) -> bool:
        """Tell whether a proxy's user name and password are sent."""
        return bool(self.proxy_username or self.proxy_password) and not self.api_key


@dataclass(frozen=True, slots=True)
class AddOptions:
    """How a magnet is added; None means as the instance's defaults say, and there, as it is set."""

    category: str | None = None
    save_path: str | None = None
    tags: tuple[str, ...] | None = None
    stopped: bool | None = None
    automatic_management: bool | None = None
    sequential: bool | None = None
    first_last_piece_first: bool | None = None

    def over(self, defaults: AddOptions) -> AddOptions:
        """Return these options, with those of `defaults` in place of None.

        Where torrents are managed automatically, the server chooses the path.
        """
        save_path = defaults.save_path if self.save_path is None else self.save_path
        return replace(
            self,
            category=defaults.category if self.category is None else self.category,
            save_path=None if self.automatic_management else save_path,
            tags=defaults.tags if self.tags is None else self.tags,
            stopped=defaults.stopped if self.stopped is None else self.stopped,
        )


class Torrent(Protocol):
    """What the client needs to know of a torrent."""

    @property
    def link(self) -> str:
        """Return its magnet link."""

    @property
    def info_hash(self) -> str:
        """Return the hash that the caller knows it by."""

    @property
    def v2(self) -> str | None:
        """Return its v2 hash (64 hex digits), or None."""

    @property
    def ids(self) -> frozenset[str]:
        """Return the hashes that the server may list it under: v1, and v2 cut to 40 digits."""


class SteadyClock(Protocol):
    """A clock that cannot be set, such as the module `time`."""

    def monotonic(self) -> float:
        """Return seconds since some moment in the past."""

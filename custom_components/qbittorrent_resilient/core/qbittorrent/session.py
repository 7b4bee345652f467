"""A session with a server, and its cookies."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .cookies import bounded, own_cookies


@dataclass(eq=False, slots=True)
class Session:
    """A session with one server; a renewed session is another object."""

    cookies: dict[str, str] = field(default_factory=dict, repr=False)
    worked: bool = False
    bypass: bool = False
    """The server let us in without a login, so only another cookie shows that it was restarted."""
    heard_at: float = float("-inf")
    """When the server last answered in this session (steady seconds)."""

    @property
    def header(self) -> str:
        """Return the value of the `Cookie` header."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def take_over(self, changes: Mapping[str, str | None]) -> bool:
        """Keep the cookies that an answer sets, and drop those that it deletes (None).

        Tell whether they belong to another session: if a cookie of qBittorrent's own was changed,
        deleted or, after an upgrade, replaced by one of another name. That counts only where no
        login is needed: elsewhere the server refuses a session that is lost. The cookies of what
        stands before qBittorrent may change with every answer, and mean nothing.
        """
        before = own_cookies(self.cookies)
        kept = {name: value for name, value in self.cookies.items() if name not in changes}
        kept |= {name: value for name, value in changes.items() if value is not None}
        self.cookies = bounded(kept)
        changed = bool(before) and before != own_cookies(self.cookies)
        return self.bypass and self.worked and changed

"""What a server knows us by."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .dialect import is_session_cookie


@dataclass(eq=False, slots=True)
class Session:
    """A session with one server; one that is renewed is another object."""

    cookies: dict[str, str] = field(default_factory=dict, repr=False)
    worked: bool = False
    bypass: bool = False
    """The server let us in without a log-in: another cookie is all that tells of its restart."""

    @property
    def header(self) -> str:
        """Return the value of the header `Cookie`."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def take_over(self, given: Mapping[str, str]) -> bool:
        """Keep the cookies that an answer sets; tell whether they are those of another session.

        That is another value, or, after an upgrade, qBittorrent's own cookie under another name.
        It counts only where no log-in is needed: elsewhere a lost session shows by itself, and the
        cookie of a load balancer, which may change with every answer, is no sign of anything.
        """
        known = self.cookies
        self.cookies = {**known, **given}
        changed = any(known.get(name, value) != value for name, value in given.items())
        renamed = any(map(is_session_cookie, known)) and any(
            map(is_session_cookie, given.keys() - known.keys())
        )
        return self.bypass and self.worked and (changed or renamed)

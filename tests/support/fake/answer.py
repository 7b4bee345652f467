"""What an endpoint gets and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field
import json

from .access import Session
from .record import Received

TEXT = "text/plain; charset=UTF-8"
JSON = "application/json"


@dataclass(slots=True)
class Answer:
    """What goes back to the client."""

    status: int = 200
    body: bytes = b""
    content_type: str = TEXT
    headers: dict[str, str] = field(default_factory=dict)
    close: bool = False


class RefusalError(Exception):
    """Ends a call with an error answer."""

    def __init__(self, status: int, text: str) -> None:
        """Keep the answer."""
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let in, and its session; an API key has none."""

    received: Received
    session: Session | None

    @property
    def params(self) -> dict[str, str]:
        """The form of a POST, else the query."""
        return self.received.params

    def require(self, *names: str, told: bool) -> None:
        """Refuse a call that lacks a parameter; some versions tell which."""
        if missing := [name for name in names if name not in self.params]:
            reason = f"Missing required parameters: {', '.join(missing)}"
            raise RefusalError(400, reason if told else "Bad Request")


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint and whether only POST reaches it."""

    run: Callable[[Call], Answer]
    post_only: bool = False


def text(value: str, status: int = 200) -> Answer:
    """Return a text answer."""
    return Answer(status, value.encode())


def as_json(value: object, status: int = 200) -> Answer:
    """Return a JSON answer, keys in order as the server has them."""
    body = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return Answer(status, body.encode(), JSON)


def number(value: str) -> int:
    """Read a number as the server does: 0 for anything else."""
    try:
        return int(value)
    except ValueError:
        return 0


def is_true(value: str) -> bool:
    """Read a boolean as the server does: `1` and `yes` are none."""
    return value.strip().lower() == "true"

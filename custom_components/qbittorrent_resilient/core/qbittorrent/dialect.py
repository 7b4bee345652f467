"""The wire: what the Web APIs of qBittorrent 4.5 to 5.3 answer, and what each answer means.

Everything that differs between versions stands here; the rest of the client speaks one language.
The version is never asked for this: each answer tells by itself which dialect it is.

| | up to 5.1 | 5.2 and newer |
|---|---|---|
| log-in good / bad | `200` `Ok.` / `200` `Fails.` | `204` / `401` |
| add: some new / none new | `200` `Ok.` / `200` `Fails.` | `200` or `202` JSON / `409` |
| add stopped | `paused` (before 5.0), `stopped` | `stopped` |
| log-in without a password | – | `Authorization: Bearer KEY` |
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
import re
from typing import Any

import orjson

from ..errors import InstanceError
from ..models import LAST_SECOND, AddOptions, InstanceStatus

LOG_IN = "auth/login"
VERSION = "app/version"
PROCESS = "app/processInfo"
TRANSFER = "transfer/info"
LOG = "log/main"
ADD = "torrents/add"
LIST = "torrents/info"

_VERSION = re.compile(r"v?\d+(\.\d+)+\w*")
_RESUME_DATA = re.compile(r"fastresume|resume data", re.IGNORECASE)
_INFO, _CRITICAL = 2, 8
_EARLY_MESSAGES = 50
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_MOST_PARTS = 500_000
"""Commas and brackets of JSON; a full log of 20,000 messages has some 150,000. Parsing takes the
event loop for itself: 8 MiB of empty lists held it for 0.7 s, this many parts for 0.05 s."""


class LogInAnswer(Enum):
    """What the server says to user name and password."""

    GRANTED = "granted"
    REFUSED = "refused"
    BANNED = "banned"


class AddAnswer(Enum):
    """What the server says to an add; neither word is proof, see `torrents/info`."""

    TAKEN = "taken"
    NONE_NEW = "none new"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, read to its end."""

    status: int
    content_type: str
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """Return the body as text, whatever its bytes."""
        return self.body.decode(errors="replace").strip()

    @property
    def is_page(self) -> bool:
        """Tell whether a person was meant to read it: a proxy's or another program's page."""
        return self.content_type == "text/html"

    def json(self) -> Any:
        """Return the parsed body; raises InstanceError (`error`) where it is no JSON."""
        if _parts(self.body) > _MOST_PARTS and _parts(_STRING.sub(b"", self.body)) > _MOST_PARTS:
            raise not_qbittorrent("the answer has too many parts")
        try:
            return orjson.loads(self.body)
        except ValueError as err:
            raise not_qbittorrent("the answer is not JSON") from err


def _parts(body: bytes) -> int:
    return sum(map(body.count, b",[{"))


def not_qbittorrent(detail: str, *, maybe_done: bool = False) -> InstanceError:
    """Return the error for an answer that qBittorrent would not give."""
    return InstanceError(InstanceStatus.ERROR, detail, maybe_done=maybe_done)


def is_session_cookie(name: str) -> bool:
    """Tell whether a cookie is qBittorrent's own: SID, from 5.2 on QBT_SID and its port."""
    return name == "SID" or name.startswith("QBT_SID")


# Keys are status and text; None stands for any text that is not a page.
_LOG_IN_ANSWERS = {
    (200, "Ok."): LogInAnswer.GRANTED,
    (200, "Fails."): LogInAnswer.REFUSED,
    (204, ""): LogInAnswer.GRANTED,
    (401, None): LogInAnswer.REFUSED,
    (403, None): LogInAnswer.BANNED,  # its text follows the server's language
}
_ADD_ANSWERS = {
    (200, "Ok."): AddAnswer.TAKEN,
    (200, "Fails."): AddAnswer.NONE_NEW,
    (409, None): AddAnswer.NONE_NEW,
}


def _meaning[T](table: Mapping[tuple[int, str | None], T], answer: Answer) -> T | None:
    if answer.is_page:
        return None
    exact = table.get((answer.status, answer.text[:20]))
    return table.get((answer.status, None)) if exact is None else exact


def read_log_in(answer: Answer) -> LogInAnswer:
    """Return what a log-in answer means; raises InstanceError (`error`) for any other."""
    if (meaning := _meaning(_LOG_IN_ANSWERS, answer)) is None:
        raise not_qbittorrent(f"log-in answered with status {answer.status}")
    return meaning


def read_version(answer: Answer) -> str:
    """Return the version without its "v"; raises InstanceError (`error`) if it is none."""
    text = answer.text[:40]
    if answer.status != 200 or not _VERSION.fullmatch(text):
        raise not_qbittorrent(f"status {answer.status}, and no qBittorrent version in the answer")
    return text.removeprefix("v")


def read_add(answer: Answer) -> AddAnswer:
    """Return what an add answer means.

    Raises InstanceError (`error`); a refusal before anything was done (4xx) is told apart from
    an answer that leaves it open (5xx of a proxy, an unknown text).
    """
    if answer.status in (200, 202) and answer.content_type == "application/json":
        return _read_add_counts(answer)
    if (meaning := _meaning(_ADD_ANSWERS, answer)) is None:
        raise not_qbittorrent(
            f"add answered with status {answer.status}",
            maybe_done=not 400 <= answer.status < 500,
        )
    return meaning


def _read_add_counts(answer: Answer) -> AddAnswer:
    try:
        counts = answer.json()
        some = int(counts["success_count"]) + int(counts["pending_count"])
    except (InstanceError, LookupError, TypeError, ValueError, OverflowError) as err:
        raise not_qbittorrent("add answered with unknown JSON", maybe_done=True) from err
    return AddAnswer.TAKEN if some else AddAnswer.NONE_NEW


def add_fields(links: list[str], options: AddOptions) -> dict[str, str]:
    """Return the form of an add that every version understands.

    Only `true` and `false` count as booleans. A save path is ignored while automatic management
    is on (4.5), so that is switched off with it. 4.5 keeps blanks around tags.
    """
    stopped = "true" if options.stopped else "false"
    fields = {"urls": "\n".join(links), "paused": stopped, "stopped": stopped}
    if options.category:
        fields["category"] = options.category
    if options.tags:
        fields["tags"] = ",".join(options.tags)
    if options.save_path:
        fields |= {"savepath": options.save_path, "autoTMM": "false"}
    return fields


def read_listed(answer: Answer) -> list[frozenset[str]]:
    """Return, for each torrent listed, every hash it goes by: id, v1 and full v2, lower case."""
    torrents = _json_of(answer, list)
    try:
        return [
            frozenset(
                value.lower()
                for key in ("hash", "infohash_v1", "infohash_v2")
                if (value := torrent.get(key))
            )
            for torrent in torrents
        ]
    except (AttributeError, TypeError) as err:
        raise not_qbittorrent("the torrent list has another form") from err


def read_connection_status(answer: Answer) -> str:
    """Return `connected`, `firewalled` or `disconnected`."""
    status = _json_of(answer, dict).get("connection_status")
    if not isinstance(status, str):
        raise not_qbittorrent("no connection status in the answer")
    return status


def read_launch_time(answer: Answer) -> float | None:
    """Return when the process was started, in epoch seconds, where the server says so (5.3)."""
    try:
        launched = _json_of(answer, dict).get("launch_time")
        return _time(launched) if isinstance(launched, int | float) else None
    except InstanceError, ValueError, OverflowError:
        return None


def read_first_logged(answer: Answer) -> float | None:
    """Return when the first messages of a process were logged, in epoch seconds.

    It logs some of the kind "info" within its first second. The log keeps the last 20,000 messages:
    one whose first are gone tells nothing.
    """
    try:
        early = [
            _time(one["timestamp"])
            for one in _json_of(answer, list)
            if int(one["type"]) == _INFO and int(one["id"]) < _EARLY_MESSAGES
        ]
    except InstanceError, LookupError, TypeError, ValueError, OverflowError:
        return None
    return min(early, default=None)


@dataclass(frozen=True, slots=True)
class LogPart:
    """What is new in the server's own log.

    `last_id` and `last_at` (epoch seconds) are those of the last message seen, `save_failures` the
    times at which resume data could not be saved.
    """

    last_id: int = -1
    last_at: float = float("-inf")
    save_failures: tuple[float, ...] = ()


def read_log(answer: Answer, before: LogPart) -> LogPart:
    """Return what came after `before`, from critical messages asked for from its last one on.

    Where that one is missing, a new process has begun a new log: what it says is asked for from
    its beginning next time. The texts follow the server's language, but all name the
    `.fastresume` file.
    """
    try:
        messages = [
            (int(one["id"]), _time(one["timestamp"]), int(one["type"]), str(one["message"]))
            for one in _json_of(answer, list)
        ]
    except (LookupError, TypeError, ValueError, OverflowError) as err:
        raise not_qbittorrent("the log has another form") from err
    if before.last_id >= 0 and (before.last_id, before.last_at) not in {
        one[:2] for one in messages
    }:
        return LogPart()
    new = [one for one in messages if one[0] > before.last_id]
    last_id, last_at = max((one[:2] for one in messages), default=(before.last_id, before.last_at))
    failures = (at for _, at, kind, text in new if kind == _CRITICAL and _RESUME_DATA.search(text))
    return LogPart(last_id, last_at, tuple(failures))


def _time(value: Any) -> float:
    """Return epoch seconds; raises ValueError for what no calendar has, and cannot be stored."""
    if not 0 <= (seconds := float(value)) <= LAST_SECOND:
        raise ValueError("no time")
    return seconds


def _json_of(answer: Answer, kind: type) -> Any:
    if answer.status != 200:
        raise not_qbittorrent(f"status {answer.status}")
    value = answer.json()
    if not isinstance(value, kind):
        raise not_qbittorrent("the answer is JSON of another form")
    return value

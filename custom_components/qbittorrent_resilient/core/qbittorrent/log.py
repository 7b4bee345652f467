"""The server's own log: failed saves, addresses outside, and where it listens.

Most texts are in the server's language; those about resume data are always English. What is looked
for can be told without knowing the language: file names, IP literals in quotes, `TCP/` before a
port.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
import re
from typing import Any

from .cookies import read_date
from .dialect import Answer, json_of, read_address, read_time
from .errors import ProtocolError

LOG_KINDS = ("normal", "info", "warning", "critical")
"""The kinds of log messages; a request switches one off by `false`."""
EARLY_MESSAGES = 50
"""A log that begins with a smaller id has its process's first messages."""
INFO, CRITICAL = 2, 8
_RESUME_DATA = re.compile(r"fastresume|resume data", re.IGNORECASE)
_PORTS = ("TCP/", "UTP/", "UDP/")
"""In messages about sockets; in all languages."""
_QUOTES = '"“”„‟«»「」『』'
"""Of all languages; not the single ones, which are apostrophes in some."""
_QUOTED = re.compile(rf"[{_QUOTES}]\s{{0,2}}([^{_QUOTES}]{{1,100}}?)\s{{0,2}}[{_QUOTES}]")
_LITERAL = re.compile(r"[0-9A-Fa-f:.]+")
_MARKS = f"{_QUOTES}'‘’‚‛‹›＂＇〝〞〟《》〈〉【】"
"""Around nothing but an address, an apostrophe cannot be meant."""
_QUOTED_LITERAL = re.compile(rf"[{_MARKS}]\s{{0,2}}([0-9A-Fa-f:.]+)\s{{0,2}}[{_MARKS}]")
_LONGEST_MESSAGE = 500
"""Characters; the messages that are looked for have less than 100 beside what they quote."""
MOST_ADDRESSES = 200
_MOST_COMPLAINTS = 20
_LAST_ID = 2**53
"""Nobody counts further; ids are stored with what they prove, for all servers in one file."""


@dataclass(frozen=True, slots=True)
class ExternalAddress:
    """An address that the server was told it has outside, and the id of the message."""

    message: int
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Complaint:
    """A critical message that quotes one thing, such as the name of a missing interface."""

    message: int
    about: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LogPart:
    """What is new in the server's own log.

    `last_id` and `last_at` (epoch seconds) are those of the last message seen, `save_failures` the
    times (epoch seconds) at which resume data could not be saved. `began` has id and time of the
    first message there was when the log was read from its beginning, and `listening` the id of the
    last message that it listens somewhere (-1: none). `told_at` is when this was told (epoch
    seconds), by the clock that the times in the log are from; without one, the newest of these.
    """

    last_id: int = -1
    last_at: float = float("-inf")
    save_failures: tuple[float, ...] = ()
    began: tuple[int, float] | None = None
    addresses: tuple[ExternalAddress, ...] = ()
    listening: int = -1
    complaints: tuple[Complaint, ...] = ()
    told_at: float = field(default=float("-inf"), compare=False)


type _Message = tuple[int, float, int, str]
"""Id, time (epoch seconds), kind, text."""


def read_log(answer: Answer, before: LogPart) -> LogPart:
    """Return what the log has after `before`; the answer has messages from its last on.

    If that last message is missing, a new process has begun a new log, which is to be read from
    its beginning: then the part is empty.
    """
    messages = _messages(answer)
    if before.last_id >= 0 and (before.last_id, before.last_at) not in {
        message[:2] for message in messages
    }:
        return LogPart()
    new = [message for message in messages if message[0] > before.last_id]
    last_id, last_at = max(
        (message[:2] for message in messages), default=(before.last_id, before.last_at)
    )
    infos = [message for message in new if message[2] == INFO]
    criticals = [message for message in new if message[2] == CRITICAL]
    # With a SOCKS proxy for peers there is one pseudo socket, of the kind UTP.
    listening = (number for number, _, _, text in infos if any(port in text for port in _PORTS))
    return LogPart(
        last_id,
        last_at,
        tuple(at for _, at, _, text in criticals if _RESUME_DATA.search(text)),
        began=min((message[:2] for message in messages), default=None)
        if before.last_id < 0
        else before.began,
        addresses=_addresses(infos),
        listening=max(listening, default=before.listening),
        complaints=_complaints(criticals),
        told_at=date.timestamp() if (date := read_date(answer.date)) else last_at,
    )


def _messages(answer: Answer) -> list[_Message]:
    """Return the messages, oldest first; raises ProtocolError."""
    try:
        return sorted(
            (
                _read_id(message["id"]),
                read_time(message["timestamp"]),
                int(message["type"]),
                str(message["message"]),
            )
            for message in json_of(answer, list)
        )
    except (LookupError, TypeError, ValueError, OverflowError) as err:
        raise ProtocolError("the log has another form") from err


def _read_id(value: Any) -> int:
    """Return the id of a message; raises ValueError for one that JSON could not store."""
    if not 0 <= (number := int(value)) <= _LAST_ID:
        raise ValueError("no id")
    return number


def _addresses(infos: Iterable[_Message]) -> tuple[ExternalAddress, ...]:
    """Return each address that these messages tell, with the last of them that does."""
    told: dict[str, int] = {}
    for number, _, _, text in infos:
        if (address := external_address(text)) is not None:
            told.pop(address, None)
            told[address] = number
    newest = list(told.items())[-MOST_ADDRESSES:]
    return tuple(ExternalAddress(number, address) for address, number in newest)


def external_address(text: str) -> str | None:
    """Return the only IP literal of a message, if that stands in quotes and no port is named."""
    if _is_left_out(text):
        return None
    literals = [one for one in _LITERAL.findall(text) if read_address(one.strip("."))]
    quoted = [one for one in map(read_address, _QUOTED_LITERAL.findall(text)) if one]
    return quoted[0] if len(literals) == len(quoted) == 1 else None


def _complaints(criticals: Iterable[_Message]) -> tuple[Complaint, ...]:
    """Return for each thing that these messages complain about the last that does."""
    told: dict[str, int] = {}
    for number, _, _, text in criticals:
        if (quoted := _quoted(text)) is not None and not _RESUME_DATA.search(text):
            told.pop(quoted, None)
            told[quoted] = number
    newest = list(told.items())[-_MOST_COMPLAINTS:]
    return tuple(Complaint(number, about) for about, number in newest)


def _quoted(text: str) -> str | None:
    """Return the one thing that a message quotes; None where it names a port, too."""
    if _is_left_out(text):
        return None
    found = _QUOTED.findall(text)
    return found[0] if len(found) == 1 else None


def _is_left_out(text: str) -> bool:
    return len(text) > _LONGEST_MESSAGE or any(port in text for port in _PORTS)


def read_first_logged(answer: Answer) -> float | None:
    """Return when a process logged its first messages, in epoch seconds, or None.

    A process logs messages of the kind "info" within its first second. The log keeps the last
    20,000 messages: once the first are gone, it tells nothing.
    """
    try:
        early = [
            read_time(message["timestamp"])
            for message in json_of(answer, list)
            if int(message["type"]) == INFO and int(message["id"]) < EARLY_MESSAGES
        ]
    except ProtocolError, LookupError, TypeError, ValueError, OverflowError:
        return None
    return min(early, default=None)

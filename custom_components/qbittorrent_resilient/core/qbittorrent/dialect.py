"""The wire: what the Web APIs of qBittorrent 4.5 to 5.3 answer, and what each answer means.

Everything that differs between versions is here; the rest of the client need not know of it. The
version is not needed for this: each answer shows which dialect it is.

| | up to 5.1 | 5.2 and newer |
|---|---|---|
| login good / bad | `200` `Ok.` / `200` `Fails.` | `204` / `401` |
| add: some new / none new | `200` `Ok.` / `200` `Fails.` | `200` or `202` JSON / `409` |
| add of a bad torrent file | `415` | `415` |
| add stopped | `paused` (before 5.0), `stopped` | `stopped` |
| login without a password | – | `Authorization: Bearer KEY` |
"""

from collections.abc import Mapping
from enum import Enum
from ipaddress import ip_address
import re
from typing import Any

from .answer import Answer as Answer  # noqa: PLC0414  # for those who read answers
from .errors import ProtocolError
from .models import LAST_SECOND, AddOptions

LOGIN = "auth/login"
VERSION = "app/version"
PROCESS = "app/processInfo"
TRANSFER = "transfer/info"
LOG = "log/main"
ADD = "torrents/add"
LIST = "torrents/info"

_VERSION = re.compile(r"v?\d++(\.\d++)++\w*+", re.ASCII)
_LONGEST_ADDRESS = 45
_HASH = re.compile(r"[0-9A-Fa-f]+")


class LoginAnswer(Enum):
    """How the server answers a login."""

    GRANTED = "granted"
    REFUSED = "refused"
    BANNED = "banned"


class AddAnswer(Enum):
    """How the server answers an add; neither answer is proof, only `torrents/info` is."""

    TAKEN = "taken"
    NONE_NEW = "none new"
    BAD_FILE = "a torrent file is none for it, and those after that one were not looked at"


# Keys are status and text; None stands for any text that is not a page.
_LOGIN_ANSWERS = {
    (200, "Ok."): LoginAnswer.GRANTED,
    (200, "Fails."): LoginAnswer.REFUSED,
    (204, ""): LoginAnswer.GRANTED,
    (401, None): LoginAnswer.REFUSED,
    (403, None): LoginAnswer.BANNED,  # its text follows the server's language
}
_IDS = ("hash", "infohash_v1", "infohash_v2")
"""Where a torrent in a list has its hashes."""
_ADD_ANSWERS = {
    (200, "Ok."): AddAnswer.TAKEN,
    (200, "Fails."): AddAnswer.NONE_NEW,
    (409, None): AddAnswer.NONE_NEW,
    (415, None): AddAnswer.BAD_FILE,
}


def _meaning[T](table: Mapping[tuple[int, str | None], T], answer: Answer) -> T | None:
    if answer.is_page:
        return None
    exact = table.get((answer.status, answer.text[:20]))
    return table.get((answer.status, None)) if exact is None else exact


def read_login(answer: Answer) -> LoginAnswer:
    """Return what a login answer means; raises ProtocolError for an unknown answer."""
    if (meaning := _meaning(_LOGIN_ANSWERS, answer)) is None:
        raise ProtocolError(f"login answered with {answer.outline}", leads_to=answer.leads_to)
    return meaning


def read_version(answer: Answer) -> str:
    """Return the version without its "v"; raises ProtocolError if the answer has none."""
    text = answer.text[:40]
    if answer.status != 200 or not _VERSION.fullmatch(text):
        raise ProtocolError(
            f"{answer.outline}, and no qBittorrent version in the answer",
            leads_to=answer.leads_to,
        )
    return text.removeprefix("v")


def read_add(answer: Answer) -> AddAnswer:
    """Return what an add answer means.

    Raises ProtocolError. Its `maybe_done` is false for a refusal before anything was done (4xx),
    and true for an answer that leaves it open (a proxy's 5xx, an unknown text).
    """
    if answer.status in (200, 202) and answer.content_type == "application/json":
        return _read_add_counts(answer)
    if (meaning := _meaning(_ADD_ANSWERS, answer)) is None:
        raise ProtocolError(
            f"add answered with {answer.outline}",
            maybe_done=not 400 <= answer.status < 500,
        )
    return meaning


def _read_add_counts(answer: Answer) -> AddAnswer:
    try:
        counts = answer.json()
        taken = [counts["success_count"], counts["pending_count"]]
    except (ProtocolError, LookupError, TypeError) as err:
        raise ProtocolError("add answered with unknown JSON", maybe_done=True) from err
    if not all(type(one) is int and one >= 0 for one in taken):
        raise ProtocolError("add answered with counts that are none", maybe_done=True)
    return AddAnswer.TAKEN if any(taken) else AddAnswer.NONE_NEW


def add_fields(links: list[str], options: AddOptions) -> dict[str, str]:
    """Return the form of an add that every version understands.

    Only `true` and `false` count as booleans; without one, the server's preferences do. 4.5 ignores
    a save path while automatic management is on, so a save path switches that off. 4.5 keeps blanks
    around tags.
    """
    fields = {"urls": "\n".join(links)} if links else {}
    if options.category:
        fields["category"] = options.category
    if options.tags:
        fields["tags"] = ",".join(options.tags)
    managed = options.automatic_management
    if options.save_path and not managed:
        fields["savepath"], managed = options.save_path, False
    flags = {
        "paused": options.stopped,
        "stopped": options.stopped,
        "autoTMM": managed,
        "sequentialDownload": options.sequential,
        "firstLastPiecePrio": options.first_last_piece_first,
    }
    said = {name: flag for name, flag in flags.items() if flag is not None}
    return fields | {name: "true" if flag else "false" for name, flag in said.items()}


def read_listed(answer: Answer) -> list[set[str]]:
    """Return, for each torrent listed, every hash it goes by: id, v1 and full v2, lower case.

    Raises ProtocolError for one without an id: what it lists could be any torrent.
    """
    torrents = json_of(answer, list)
    try:
        if all(_HASH.fullmatch(torrent["hash"]) for torrent in torrents):
            return [
                {value.lower() for value in map(torrent.get, _IDS) if value} for torrent in torrents
            ]
    except (AttributeError, LookupError, TypeError) as err:
        raise ProtocolError("the torrent list has another form") from err
    raise ProtocolError("the torrent list has another form: ids are no hashes")


def read_connection_status(answer: Answer) -> str:
    """Return `connected`, `firewalled` or `disconnected`."""
    status = json_of(answer, dict).get("connection_status")
    if not isinstance(status, str):
        raise ProtocolError("no connection status in the answer")
    return status


def read_addresses(answer: Answer) -> tuple[str | None, str | None]:
    """Return the last external IPv4 and IPv6 address in an answer; None where it has none."""
    values = json_of(answer, dict)
    v4, v6 = (read_address(values.get(f"last_external_address_v{one}")) for one in (4, 6))
    return v4, v6


def read_address(text: object) -> str | None:
    """Return an IP address in its usual form, or None if the text is none."""
    if not isinstance(text, str) or len(text) > _LONGEST_ADDRESS:
        return None
    try:
        return str(ip_address(text))
    except ValueError:
        return None


def read_launch_time(answer: Answer) -> float | None:
    """Return when the process was started, in epoch seconds; None if not told (before 5.2)."""
    try:
        launched = json_of(answer, dict).get("launch_time")
        return read_time(launched) if isinstance(launched, int | float) else None
    except ProtocolError, ValueError, OverflowError:
        return None


def read_time(value: Any) -> float:
    """Return epoch seconds; raises ValueError if no calendar has that time.

    It could not be stored, either.
    """
    if not 0 <= (seconds := float(value)) <= LAST_SECOND:
        raise ValueError("no time")
    return seconds


def json_of(answer: Answer, expected: type) -> Any:
    """Return the parsed body of a good answer of this type; raises ProtocolError."""
    if answer.status != 200:
        raise ProtocolError(answer.outline, leads_to=answer.leads_to)
    value = answer.json()
    if not isinstance(value, expected):
        raise ProtocolError("the answer is JSON of another form")
    return value

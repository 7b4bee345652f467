"""Whatever a server answers: a known meaning or ProtocolError, and never a false refusal."""

from collections.abc import Callable
import json
import math
from typing import Any

from hypothesis import example, given, strategies as st
import pytest

from custom_components.qbittorrent_resilient.core.qbittorrent.dialect import (
    AddAnswer,
    Answer,
    LoginAnswer,
    read_add,
    read_addresses,
    read_connection_status,
    read_launch_time,
    read_listed,
    read_login,
    read_version,
)
from custom_components.qbittorrent_resilient.core.qbittorrent.errors import ProtocolError
from custom_components.qbittorrent_resilient.core.qbittorrent.log import (
    LogPart,
    read_first_logged,
    read_log,
)
from custom_components.qbittorrent_resilient.core.qbittorrent.network import Binding, read_binding
from tests.support.made_up import FUZZ, attempt

JSON = "application/json"
KEYS = [
    *("hash", "infohash_v1", "infohash_v2", "success_count", "pending_count", "failure_count"),
    *("id", "timestamp", "type", "message", "launch_time", "connection_status"),
]
ODD_VALUES = [
    *(0, 1, -1, 2, 8, 49, 10**400, -(10**400), 2**63, 1.5, -0.0, math.nan, math.inf, -math.inf),
    *(None, True, False, "", "1", "nan", "1e999", "9" * 5000, "Ok.", "x.fastresume", "\ud800"),
]
GOOD = [
    b'[{"hash":"aa","infohash_v1":"aa","infohash_v2":""},{"hash":"BB"}]',
    b'{"added_torrent_ids":["aa"],"failure_count":0,"pending_count":0,"success_count":1}',
    b'[{"id":1,"message":"x.fastresume","timestamp":1700000000,"type":8}]',
    b'{"launch_time":1795344008}',
    b'{"connection_status":"connected"}',
    *(b"Ok.", b"Fails.", b"v5.3.0", b"Conflict", b"Forbidden", b""),
]

values = st.recursive(
    st.sampled_from(ODD_VALUES) | st.text(max_size=3) | st.integers() | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=2), inner, max_size=6)
    ),
    max_leaves=12,
)
objects = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(ODD_VALUES), min_size=1)
rows = st.lists(objects, max_size=3)


def dumped(value: Any) -> bytes:
    """Return JSON; with NaN, Infinity and surrogates, as a careless server would write them."""
    return json.dumps(value).encode()


@st.composite
def doubled_keys(draw: st.DrawFn) -> bytes:
    key = draw(st.sampled_from(KEYS))
    first, second = (dumped(draw(st.sampled_from(ODD_VALUES))) for _ in range(2))
    return b'{"%b":%b,"%b":%b}' % (key.encode(), first, key.encode(), second)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    body = draw(st.sampled_from(GOOD))
    cut = draw(st.integers(0, len(body)))
    return body[:cut] + draw(st.binary(max_size=3)) + body[cut + draw(st.integers(0, 3)) :]


answers = st.builds(
    Answer,
    st.sampled_from([200, 200, 200, 202, 204, 301, 400, 401, 403, 404, 409, 429, 500, 502, 504]),
    st.sampled_from([JSON, JSON, "text/plain", "text/html", "", "application/octet-stream"]),
    st.one_of(
        values.map(dumped),
        objects.map(dumped),
        rows.map(dumped),
        doubled_keys(),
        doubled_keys().map(b"[%b]".__mod__),
        damaged(),
        st.binary(max_size=40),
        st.integers(1, 200_000).map(lambda depth: b"[" * depth + b"]" * depth),
        st.integers(1, 200_000).map(lambda depth: b'{"hash":' * depth),
    ),
)


def read_first_log(answer: Answer) -> LogPart:
    return read_log(answer, LogPart())


def read_next_log(answer: Answer) -> LogPart:
    return read_log(answer, LogPart(1, 1700000000.0))


def read_preferences(answer: Answer) -> Binding:
    return read_binding(answer, Answer(200, JSON, b"[]"))


def read_interfaces(answer: Answer) -> Binding:
    preferences = {"current_network_interface": "tun0", "current_interface_address": ""}
    return read_binding(Answer(200, JSON, dumped(preferences)), answer)


MEANINGS: dict[Callable[[Answer], Any], type | tuple[type, ...]] = {
    read_login: LoginAnswer,
    read_version: str,
    read_add: AddAnswer,
    read_connection_status: str,
    read_listed: list,
    read_first_log: LogPart,
    read_next_log: LogPart,
    read_launch_time: (float, type(None)),
    read_first_logged: (float, type(None)),
    read_preferences: Binding,
    read_interfaces: Binding,
    read_addresses: tuple,
}
DEEP = [
    Answer(200, JSON, b'[{"id":1,"timestamp":1,"type":8,"message":%b}]' % (b"[" * n + b"]" * n))
    for n in (20_000, 50_000, 60_000, 64_000, 66_000)
]


@pytest.mark.parametrize("read", MEANINGS, ids=lambda one: one.__name__)
@given(answer=answers)
@example(answer=DEEP[0])
@example(answer=DEEP[1])
@example(answer=DEEP[2])
@example(answer=DEEP[3])
@example(answer=DEEP[4])
@FUZZ
def test_a_meaning_or_one_error(read: Callable[[Answer], Any], answer: Answer) -> None:
    meaning = attempt(ProtocolError, lambda: read(answer))
    if isinstance(meaning, ProtocolError):
        assert len(str(meaning)) < 100, "quotes the answer"
    else:
        assert isinstance(meaning, MEANINGS[read])


@given(answer=answers)
@example(Answer(200, JSON, b'{"success_count":Infinity,"pending_count":0}'))
@example(Answer(202, JSON, b'{"success_count":NaN,"pending_count":0}'))
@FUZZ
def test_an_add_may_be_done_unless_it_was_refused(answer: Answer) -> None:
    """Only a 4xx says that nothing was done; after any other answer the server is asked."""
    meaning = attempt(ProtocolError, lambda: read_add(answer))
    if isinstance(meaning, ProtocolError):
        assert meaning.maybe_done is not (400 <= answer.status < 500)


@given(answer=answers)
@example(Answer(200, JSON, b'{"launch_time":NaN}'))
@example(Answer(200, JSON, b'{"launch_time":1e999}'))
@example(Answer(200, JSON, b'[{"id":1,"type":2,"timestamp":Infinity}]'))
@FUZZ
def test_a_time_is_one_that_can_be_stored(answer: Answer) -> None:
    """JSON has no NaN: a record with one could not be read back."""
    for launched in (read_launch_time(answer), read_first_logged(answer)):
        assert launched is None or math.isfinite(launched)


@pytest.mark.parametrize("part", [b"[],", b'{"a":{}},', b"1,", b'"",'])
def test_too_many_parts(part: bytes) -> None:
    """They would hold up everything else for a second."""
    answer = Answer(200, JSON, b"[" + part * 600_000 + b"0]")
    with pytest.raises(ProtocolError, match="too many parts"):
        read_listed(answer)


def test_full_log_is_not_too_much() -> None:
    text = "Couldn't save torrent resume data to '/a,b[c]/x.fastresume'. Error: {1,2}, [3]"
    row = {"id": 1, "message": text, "timestamp": 1, "type": 8}
    part = read_log(Answer(200, JSON, dumped([row] * 20_000)), LogPart())
    assert len(part.save_failures) == 20_000


@given(answer=answers)
@FUZZ
def test_only_texts_are_hashes(answer: Answer) -> None:
    try:
        listed = read_listed(answer)
    except ProtocolError:
        return
    assert all(isinstance(name, str) and name for names in listed for name in names)


@given(first=answers, second=answers)
@FUZZ
def test_the_next_log_is_asked_for_with_a_number(first: Answer, second: Answer) -> None:
    """What is remembered of an odd log can be sent as a query, and does not grow."""
    part = LogPart()
    for answer in (first, second):
        try:
            part = read_log(answer, part)
        except ProtocolError:
            continue
        assert len(str(part.last_id)) < 5000

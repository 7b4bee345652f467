"""What the answers of each version mean, and that no other answer is taken for one."""

from collections.abc import Callable
import json
from typing import Any

import pytest

from custom_components.qbittorrent_resilient.core.qbittorrent.dialect import (
    AddAnswer,
    Answer,
    LoginAnswer,
    add_fields,
    read_add,
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
from custom_components.qbittorrent_resilient.core.qbittorrent.models import AddOptions

TEXT, JSON, HTML = "text/plain", "application/json", "text/html"
PAGE = b"<html>canary</html>"
V1, V2 = "1" * 40, "AB" * 32

ODD = [
    pytest.param(Answer(200, HTML, PAGE), id="page"),
    pytest.param(Answer(200, TEXT, PAGE), id="page-as-text"),
    pytest.param(Answer(200, JSON, PAGE), id="page-as-json"),
    pytest.param(Answer(200, TEXT, b""), id="empty"),
    pytest.param(Answer(200, JSON, b""), id="empty-json"),
    pytest.param(Answer(200, JSON, b"null"), id="null"),
    pytest.param(Answer(200, JSON, b'"Ok."'), id="string"),
    pytest.param(Answer(200, JSON, b"[1]"), id="list"),
    pytest.param(Answer(200, JSON, b"[[]]"), id="lists"),
    pytest.param(Answer(200, JSON, b"{}"), id="object"),
    pytest.param(Answer(200, JSON, b"[{}]"), id="empty-object-in-list"),
    pytest.param(Answer(200, JSON, b"\xff\xfe"), id="bytes"),
    pytest.param(Answer(200, JSON, b"[" * 200_000), id="deep"),
    pytest.param(Answer(302, HTML, b""), id="redirect"),
    pytest.param(Answer(400, TEXT, b"Bad Request"), id="400"),
    pytest.param(Answer(500, TEXT, b"Ok."), id="500"),
    pytest.param(Answer(502, HTML, PAGE), id="502"),
]


def _read_log(answer: Answer) -> LogPart:
    return read_log(answer, LogPart())


@pytest.mark.parametrize("answer", ODD)
@pytest.mark.parametrize(
    "read",
    [read_login, read_version, read_add, read_connection_status, read_listed, _read_log],
)
def test_odd_answer(read: Callable[[Answer], Any], answer: Answer) -> None:
    """Anything else is a ProtocolError, and its text quotes nothing of the answer."""
    with pytest.raises(ProtocolError) as caught:
        read(answer)
    assert "canary" not in str(caught.value)
    assert caught.value.maybe_done is (read is read_add and not 400 <= answer.status < 500)


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (Answer(200, TEXT, b"Ok."), LoginAnswer.GRANTED),
        (Answer(204, "", b""), LoginAnswer.GRANTED),
        (Answer(200, TEXT, b"Fails."), LoginAnswer.REFUSED),
        (Answer(401, TEXT, b"Unauthorized"), LoginAnswer.REFUSED),
        (Answer(403, TEXT, b"Your IP address has been banned"), LoginAnswer.BANNED),
        (Answer(403, TEXT, "Ваш IP-адрес".encode()), LoginAnswer.BANNED),
    ],
)
def test_log_in(answer: Answer, meaning: LoginAnswer) -> None:
    assert read_login(answer) is meaning


@pytest.mark.parametrize("status", [200, 401, 403])
def test_log_in_at_a_proxy(status: int) -> None:
    """Its page says nothing about the credentials."""
    with pytest.raises(ProtocolError):
        read_login(Answer(status, HTML, PAGE))


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v4.5.2", "4.5.2"),
        ("v5.3.0", "5.3.0"),
        ("v5.0.0beta1", "5.0.0beta1"),
        ("5.2.1\n", "5.2.1"),
    ],
)
def test_version(text: str, version: str) -> None:
    assert read_version(Answer(200, TEXT, text.encode())) == version


@pytest.mark.parametrize("text", ["5", "v", "Forbidden", "v5.1.0 and more"])
def test_no_version(text: str) -> None:
    with pytest.raises(ProtocolError, match="no qBittorrent version"):
        read_version(Answer(200, TEXT, text.encode()))


def counts(success: Any = 0, pending: Any = 0, failure: Any = 0, **more: Any) -> bytes:
    fields = {"success_count": success, "pending_count": pending, "failure_count": failure} | more
    return ("{" + ",".join(f'"{key}":{value}' for key, value in fields.items()) + "}").encode()


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (Answer(200, TEXT, b"Ok."), AddAnswer.TAKEN),
        (Answer(200, TEXT, b"Fails."), AddAnswer.NONE_NEW),
        (Answer(200, JSON, counts(2)), AddAnswer.TAKEN),
        (Answer(200, JSON, counts(1, 0, 5)), AddAnswer.TAKEN),
        (Answer(200, JSON, counts(0, 0, 5)), AddAnswer.NONE_NEW),
        (Answer(202, JSON, counts(0, 1)), AddAnswer.TAKEN),
        (Answer(202, JSON, counts(1, 1, 1, added_torrent_ids='["x"]')), AddAnswer.TAKEN),
        (Answer(409, TEXT, b"Conflict"), AddAnswer.NONE_NEW),
        (Answer(409, JSON, counts(0, 0, 1)), AddAnswer.NONE_NEW),
    ],
)
def test_add(answer: Answer, meaning: AddAnswer) -> None:
    assert read_add(answer) is meaning


@pytest.mark.parametrize(
    ("answer", "maybe_done"),
    [
        (Answer(200, JSON, counts('"x"')), True),
        (Answer(200, JSON, counts("null")), True),
        (Answer(200, JSON, counts("1e999")), True),
        (Answer(200, JSON, counts(1, -1)), True),
        (Answer(200, JSON, counts(-1)), True),
        (Answer(200, JSON, counts("false", "false")), True),
        (Answer(200, JSON, counts(0.5)), True),
        (Answer(200, JSON, b'{"success_count":1}'), True),
        (Answer(202, TEXT, b""), True),
        (Answer(204, "", b""), True),
        (Answer(200, TEXT, b"Added."), True),
        (Answer(504, HTML, PAGE), True),
        (Answer(409, HTML, PAGE), False),
        (Answer(404, TEXT, b"Not Found"), False),
        (Answer(413, HTML, PAGE), False),
        (Answer(429, TEXT, b""), False),
    ],
)
def test_unclear_add(answer: Answer, maybe_done: bool) -> None:
    with pytest.raises(ProtocolError) as caught:
        read_add(answer)
    assert caught.value.maybe_done is maybe_done


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        (AddOptions(), {}),
        (AddOptions(stopped=False), {"paused": "false", "stopped": "false"}),
        (AddOptions(stopped=True), {"paused": "true", "stopped": "true"}),
        (AddOptions(category="", save_path="", tags=()), {}),
        (
            AddOptions(category="films", save_path="/data", tags=("a", "b c")),
            {
                "category": "films",
                "savepath": "/data",
                "autoTMM": "false",
                "tags": "a,b c",
            },
        ),
        (AddOptions(automatic_management=True, save_path="/data"), {"autoTMM": "true"}),
        (AddOptions(automatic_management=False), {"autoTMM": "false"}),
        (
            AddOptions(automatic_management=False, save_path="/data"),
            {"autoTMM": "false", "savepath": "/data"},
        ),
        (
            AddOptions(sequential=True, first_last_piece_first=False),
            {"sequentialDownload": "true", "firstLastPiecePrio": "false"},
        ),
    ],
)
def test_add_fields(options: AddOptions, fields: dict[str, str]) -> None:
    assert add_fields(["one", "two"], options) == fields | {"urls": "one\ntwo"}


def test_listed() -> None:
    body = (
        f'[{{"hash":"{V1}","infohash_v1":"{V1}","infohash_v2":""}},'
        f'{{"hash":"{V2[:40]}","infohash_v1":"{V1}","infohash_v2":"{V2}"}},'
        '{"hash":"AA"}]'
    )
    assert read_listed(Answer(200, JSON, body.encode())) == [
        {V1},
        {V1, V2.lower(), V2.lower()[:40]},
        {"aa"},
    ]


@pytest.mark.parametrize(
    "body",
    [
        b'[{"hash":1}]',
        b'[{"hash":"a"},null]',
        b'["x"]',
        b'{"a":1}',
        b'[{"name":"Torrent 1"}]',
        b'[{"hash":"a"},{"infohash_v1":"a"}]',
        b'[{"hash":""}]',
        b'[{"hash":null}]',
        b'[{"hash":"Torrent 1"}]',
    ],
)
def test_list_of_another_form(body: bytes) -> None:
    with pytest.raises(ProtocolError, match="form"):
        read_listed(Answer(200, JSON, body))


@pytest.mark.parametrize("value", [None, 1, ["connected"], True])
def test_no_connection_status(value: Any) -> None:
    body = f'{{"connection_status":{str(value).lower()}}}'.replace("'", '"').replace("none", "null")
    with pytest.raises(ProtocolError, match="no connection status"):
        read_connection_status(Answer(200, JSON, body.encode()))


@pytest.mark.parametrize(
    ("answer", "launched"),
    [
        (Answer(200, JSON, b'{"launch_time":1795344008}'), 1795344008.0),
        (Answer(200, JSON, b'{"launch_time":null}'), None),
        (Answer(200, JSON, b"{}"), None),
        (Answer(404, TEXT, b"Not Found"), None),
        (Answer(404, TEXT, b"Endpoint does not exist"), None),
        (Answer(200, HTML, PAGE), None),
        (Answer(200, JSON, b"[]"), None),
        (Answer(502, HTML, PAGE), None),
        (Answer(200, JSON, b'{"launch_time":1' + b"0" * 400 + b"}"), None),
        (Answer(200, JSON, b'{"launch_time":1795344008000}'), None),
        (Answer(200, JSON, b'{"launch_time":-1}'), None),
    ],
)
def test_launch_time(answer: Answer, launched: float | None) -> None:
    assert read_launch_time(answer) == launched


SAVE = "Couldn't save torrent resume data to '/x/{}.fastresume'. Error: No space left"


@pytest.mark.parametrize(
    ("kind", "text", "counts_as_failure"),
    [
        (8, SAVE, True),
        (8, "Не вдалося зберегти '/x/{}.fastresume'", True),
        (8, "Failed to save Resume Data", True),
        (8, "Web UI: port in use", False),
        (4, SAVE, False),
        (1, SAVE, False),
    ],
)
def test_log(kind: int, text: str, counts_as_failure: bool) -> None:
    rows = f'[{{"id":7,"message":"{text}","timestamp":1700000000,"type":{kind}}}]'
    part = read_log(Answer(200, JSON, rows.encode()), LogPart())
    failures = (1700000000.0,) if counts_as_failure else ()
    assert part == LogPart(7, 1700000000.0, failures, began=(7, 1700000000.0))


def rows(*ids_and_times: tuple[int, int]) -> Answer:
    return Answer(
        200,
        JSON,
        json.dumps(
            [{"id": one, "message": SAVE, "timestamp": at, "type": 8} for one, at in ids_and_times]
        ).encode(),
    )


@pytest.mark.parametrize(
    ("answer", "before", "after"),
    [
        (rows(), LogPart(), LogPart()),
        (rows((5, 50)), LogPart(5, 50.0, (50.0,)), LogPart(5, 50.0)),
        (rows((5, 50), (6, 60)), LogPart(5, 50.0), LogPart(6, 60.0, (60.0,))),
        (rows((6, 60), (5, 50)), LogPart(), LogPart(6, 60.0, (50.0, 60.0), began=(5, 50.0))),
        (rows((0, 10)), LogPart(0, 10.0), LogPart(0, 10.0)),
        # another process: its log is read from the beginning next time
        (rows(), LogPart(5, 50.0), LogPart()),
        (rows((5, 70)), LogPart(5, 50.0), LogPart()),
        (rows((6, 60)), LogPart(5, 50.0), LogPart()),
    ],
)
def test_log_goes_on(answer: Answer, before: LogPart, after: LogPart) -> None:
    assert read_log(answer, before) == after


@pytest.mark.parametrize(
    "row",
    [
        "1",
        "null",
        '{"id":"x","message":"","timestamp":1,"type":8}',
        '{"id":1e999,"message":"","timestamp":1,"type":8}',
        '{"id":1e300,"message":"","timestamp":1,"type":8}',
        f'{{"id":"{"9" * 4_000}","message":"","timestamp":1,"type":8}}',
        '{"id":-7,"message":"","timestamp":1,"type":8}',
        '{"id":1,"message":"fastresume","timestamp":"x","type":8}',
        '{"id":1,"message":"fastresume","type":8}',
    ],
)
def test_log_of_another_form(row: str) -> None:
    with pytest.raises(ProtocolError, match=r"another form|not JSON"):
        read_log(Answer(200, JSON, f"[{row}]".encode()), LogPart())


def test_answer_is_not_printed() -> None:
    assert "canary" not in repr(Answer(200, HTML, PAGE))


@pytest.mark.parametrize(
    ("body", "start"),
    [
        (b'[{"id":3,"timestamp":70,"type":2},{"id":4,"timestamp":71,"type":2}]', 70.0),
        (b'[{"id":3,"timestamp":70,"type":1}]', None),
        (b'[{"id":50,"timestamp":70,"type":2}]', None),
        (b"[]", None),
        (b'[{"id":3,"timestamp":null,"type":2}]', None),
        (b'{"id":3}', None),
        (b"Forbidden", None),
    ],
)
def test_first_logged(body: bytes, start: float | None) -> None:
    assert read_first_logged(Answer(200, "application/json", body)) == start

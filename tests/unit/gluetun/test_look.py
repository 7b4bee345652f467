"""What two answers of a control server mean together."""

import json
import time
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.qbittorrent_resilient.core.gluetun import GluetunLook, TunnelState
from custom_components.qbittorrent_resilient.core.gluetun.look import Reply, judge, reply

UP, DOWN, RUNNING = TunnelState.UP, TunnelState.DOWN, TunnelState.RUNNING
SILENT, REFUSED, FOREIGN = TunnelState.SILENT, TunnelState.REFUSED, TunnelState.FOREIGN
IP = {"public_ip": "198.51.100.7", "region": "Ö"}
NO_IP = {"public_ip": ""}


def body(data: Any) -> bytes:
    return json.dumps(data).encode() + b"\n"


@pytest.mark.parametrize("word", ["stopped", "stopping", "starting", "crashed", "completed"])
@pytest.mark.parametrize("public_ip", [Reply(data=IP), Reply(data=NO_IP), Reply(SILENT)])
def test_down_whatever_the_address(word: str, public_ip: Reply) -> None:
    assert judge(Reply(data={"status": word}), public_ip) == GluetunLook(DOWN, word=word)


@pytest.mark.parametrize(
    ("public_ip", "state", "address"),
    [
        ({"public_ip": "198.51.100.7"}, UP, "198.51.100.7"),
        ({"public_ip": "2001:DB8::0:7"}, UP, "2001:db8::7"),
        ({"public_ip": "::ffff:9.9.9.9"}, UP, "::ffff:9.9.9.9"),
        ({"public_ip": ""}, RUNNING, None),
        ({"public_ip": None}, RUNNING, None),
        ({}, RUNNING, None),
        ({"public_ip": "0.0.0.0"}, RUNNING, None),
        ({"public_ip": "::"}, RUNNING, None),
        ({"public_ip": "invalid IP"}, FOREIGN, None),
        ({"public_ip": 3325256704}, FOREIGN, None),
        ({"public_ip": ["198.51.100.7"]}, FOREIGN, None),
        ({"public_ip": f"fe80::1%{'x' * 1_000}"}, FOREIGN, None),
    ],
)
def test_running(public_ip: dict[str, Any], state: TunnelState, address: str | None) -> None:
    look = judge(Reply(data={"status": "running"}), Reply(data=public_ip))
    assert look == GluetunLook(state, address, "running")


@pytest.mark.parametrize(
    "address",
    [
        *("10.2.0.2", "172.16.0.1", "192.168.1.7", "127.0.0.1", "169.254.1.1", "100.64.0.1"),
        *("198.18.0.1", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255", "0.0.0.1"),
        *("::1", "fd00::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "::ffff:10.2.0.2"),
    ],
)
def test_running_with_an_address_that_is_not_public(address: str) -> None:
    """No service outside can have seen it, so it proves no tunnel; that is no opinion."""
    look = judge(Reply(data={"status": "running"}), Reply(data={"public_ip": address}))
    assert look == GluetunLook(RUNNING, None, "running")


@pytest.mark.parametrize("status", ["Running", "", "ok", 1, None, ["running"], {"a": 1}, True])
def test_another_word(status: Any) -> None:
    look = judge(Reply(data={"status": status}), Reply(data=IP))
    assert look == GluetunLook(FOREIGN)
    assert judge(Reply(data={}), Reply(data=IP)).state is FOREIGN


@pytest.mark.parametrize(
    ("status", "public_ip", "state"),
    [
        (REFUSED, None, REFUSED),
        (None, REFUSED, REFUSED),
        (SILENT, REFUSED, REFUSED),
        (REFUSED, FOREIGN, REFUSED),
        (FOREIGN, SILENT, FOREIGN),
        (None, FOREIGN, FOREIGN),
        (SILENT, None, SILENT),
        (None, SILENT, SILENT),
    ],
)
def test_faults(
    status: TunnelState | None, public_ip: TunnelState | None, state: TunnelState
) -> None:
    """A role may know the key for one of the routes only; the exit is not shown then."""
    look = judge(
        Reply(status) if status else Reply(data={"status": "running"}),
        Reply(public_ip) if public_ip else Reply(data=IP),
    )
    assert look == GluetunLook(state, word=None if status else "running")


@pytest.mark.parametrize(
    ("status", "content", "fault"),
    [
        (200, body(NO_IP), None),
        (200, b"", FOREIGN),
        (200, b"<!DOCTYPE html>", FOREIGN),
        (200, b"[" * 50_000, FOREIGN),
        (200, b"9" * 5_000, FOREIGN),
        (200, b"\xff\xfe\x00", FOREIGN),
        (200, body([]), FOREIGN),
        (200, body("running"), FOREIGN),
        (204, b"", FOREIGN),
        (301, b"", FOREIGN),
        (307, body(IP), FOREIGN),
        (400, b"route not supported", FOREIGN),
        (401, b"Unauthorized\n", REFUSED),
        (403, b"", REFUSED),
        (404, b"Not Found\n", FOREIGN),
        (405, b"", FOREIGN),
        (408, b"", SILENT),
        (429, b"", SILENT),
        (500, body(IP), SILENT),
        (502, b"<html>", SILENT),
    ],
)
def test_reply(status: int, content: bytes, fault: TunnelState | None) -> None:
    assert reply(status, content).fault is fault


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(status=json_values, public_ip=json_values)
def test_any_answer_is_a_state(status: Any, public_ip: Any) -> None:
    """Whatever comes is judged, and only `running` with a real address is up."""
    first = reply(200, body({"status": status}))
    look = judge(first, reply(200, body({"public_ip": public_ip})))
    assert look.state is not UP
    assert look.word is None or look.word in str(status)
    assert judge(first, reply(200, body(IP))).state in (UP, DOWN, FOREIGN)


@pytest.mark.parametrize("data", [b'{"status":%b}', b'{"status":"running","public_ip":%b}'])
def test_deeply_nested(data: bytes) -> None:
    """To write one takes a time that grows with the square of its depth."""
    deep = reply(200, data % (b"[" * 15_000 + b"]" * 15_000))
    start = time.thread_time()
    assert judge(deep, deep).state is FOREIGN
    assert time.thread_time() - start < 0.05

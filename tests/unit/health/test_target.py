"""VPN targets as they are written."""

from hypothesis import given, strategies as st
import pytest

from custom_components.qbittorrent_resilient.core.errors import InvalidTargetError
from custom_components.qbittorrent_resilient.core.health.target import Target, parse_target


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("10.8.0.1", "10.8.0.1", None),
        (" 10.8.0.1 ", "10.8.0.1", None),
        ("10.8.0.1:53", "10.8.0.1", 53),
        ("far.example", "far.example", None),
        ("Far.Example:443", "far.example", 443),
        ("my_container", "my_container", None),
        ("my_container:1", "my_container", 1),
        ("far.example.:65535", "far.example.", 65535),
        ("1password.example:080", "1password.example", 80),
        ("fd00::1", "fd00::1", None),
        ("FD00:0:0::1", "fd00::1", None),
        ("fd00::1:53", "fd00::1:53", None),
        ("[fd00::1]", "fd00::1", None),
        ("[FD00::0:1]:53", "fd00::1", 53),
        ("fe80::1%eth0", "fe80::1%eth0", None),
        ("[fe80::1%eth0]:53", "fe80::1%eth0", 53),
        ("a" * 63 + ".example", "a" * 63 + ".example", None),
    ],
)
def test_read(text: str, host: str, port: int | None) -> None:
    target = parse_target(text)
    assert target == Target(host, port)
    assert parse_target(str(target)) == target


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (Target("far.example"), "far.example"),
        (Target("far.example", 53), "far.example:53"),
        (Target("10.8.0.1", 53), "10.8.0.1:53"),
        (Target("fd00::1"), "fd00::1"),
        (Target("fd00::1", 53), "[fd00::1]:53"),
    ],
)
def test_written(target: Target, text: str) -> None:
    assert str(target) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ".",
        "a..b",
        "-a.example",
        "a-.example",
        "a" * 64 + ".example",
        "a." * 127 + "example",
        "10.8.0",
        "10.8.0.256",
        "10.8.0.1.1:53",
        "far example",
        "far.example\n10.8.0.1",
        "http://far.example",
        "far.example/path",
        "far.example:",
        "far.example:0",
        "far.example:65536",
        "far.example:99999999999999999999",
        "far.example:-1",
        "far.example:+1",
        "far.example:٣",
        "far.example:dns",
        "far.example:53:53",
        ":53",
        "[far.example]:53",
        "[10.8.0.1]:53",
        "[fd00::1",
        "[fd00::1]53",
        "[fd00::1]:",
        "[]:53",
        "fd00::1]:53",
        "user@far.example",
        "müller.example",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(InvalidTargetError) as caught:
        parse_target(text)
    assert not text.strip() or text not in str(caught.value)


@given(st.text(alphabet="a1.:[]%-_ fF", max_size=12))
def test_any_text_is_a_target_or_refused(text: str) -> None:
    try:
        target = parse_target(text)
    except InvalidTargetError:
        return
    assert parse_target(str(target)) == target
    assert target.host

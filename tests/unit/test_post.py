"""What is posted to a webhook is read, whatever its header says that it is."""

import pytest

from custom_components.qbittorrent_resilient.doors.post import read_post
from tests.support.common import link


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain; charset=\0",
        "text/plain; charset*" + "9" * 5000 + "=a",
        "text/plain; charset=idna",
        "text/plain; charset=punycode",
        "text/plain; charset=unicode_escape",
        "text/plain; charset=\udcff",
    ],
    ids=lambda one: ascii(one)[:40],
)
def test_odd_type(content_type: str) -> None:
    posted = read_post(link(1).encode(), content_type, "")
    assert (posted.values, posted.unreadable) == ([link(1)], 0)


def test_odd_type_of_a_part() -> None:
    for odd in ("; name*" + "9" * 5000 + "=a", "; name=\0", "; name*=a; name*0=b"):
        head = f"Content-Disposition: form-data{odd}".encode()
        body = b"--b\r\n" + head + b"\r\n\r\n" + link(1).encode() + b"\r\n--b--"
        (value,) = read_post(body, "multipart/form-data; boundary=b", "").values
        assert list(value.values()) == [link(1)]


@pytest.mark.parametrize("encoding", ["punycode", "PunyCode", "idna"])
def test_encodings_of_names_are_none_for_texts(encoding: str) -> None:
    """Their decoders take hours for what a webhook takes."""
    given = f"{link(1)}&dn=b-ber".encode()
    assert read_post(given, f"text/plain; charset={encoding}", "").values == [given.decode()]

"""What is posted to a webhook is read, whatever its header says that it is."""

import pytest

from custom_components.qbittorrent_resilient.core.intake import TooManyError
from custom_components.qbittorrent_resilient.doors.post import read_post
from tests.support.common import link
from tests.support.torrents import Kind, torrent


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


OF_TORRENTS = "application/x-bittorrent"
TYPES = [OF_TORRENTS, "application/octet-stream", "", "text/plain"]


def multipart(*parts: tuple[str, bytes]) -> bytes:
    """Return a form with these parts, each after the rest of its header."""
    return (
        b"".join(
            b"--b\r\nContent-Disposition: form-data"
            + head.encode()
            + b"\r\n\r\n"
            + content
            + b"\r\n"
            for head, content in parts
        )
        + b"--b--\r\n"
    )


@pytest.mark.parametrize("kind", ["v1", "v2", "hybrid"])
@pytest.mark.parametrize(
    "content_type", [OF_TORRENTS, "application/octet-stream", "", "text/plain"]
)
def test_torrent_file_as_it_is(kind: Kind, content_type: str) -> None:
    made = torrent(1, kind, tracker="http://t.example")
    posted = read_post(made.data, content_type, "a=b")
    assert [(one.name, one.data) for one in posted.files] == [("", made.data)]
    assert (posted.values, posted.unreadable) == ([{"a": "b"}], 0)


def test_torrent_files_in_a_form() -> None:
    """Beside what is none, and bytes that look like the end of a line."""
    first, second = torrent(1).data, torrent(2).data + b"\r\n"
    posted = read_post(
        multipart(
            ('; name="a"; filename="one.torrent"', first),
            ('; name="b"', second),
            ('; name="c"; filename="page.TORRENT"', b"<html>"),
            ('; name="d"', link(1).encode()),
            ('; name="e"; filename="empty.torrent"', b""),
        ),
        "multipart/form-data; boundary=b",
        "",
    )
    assert [(one.name, one.data) for one in posted.files] == [
        ("one.torrent", first),
        ("", second),
        ("page.TORRENT", b"<html>"),
    ]
    assert posted.values == [{"d": link(1)}, {"e": ""}]


def test_what_is_said_to_be_one_is_none() -> None:
    assert [one.data for one in read_post(b"<html>", OF_TORRENTS, "").files] == [b"<html>"]


@pytest.mark.parametrize("text", ["d8:announce", "d3: x", "due: 4:infod", link(1)])
def test_text_is_no_torrent_file(text: str) -> None:
    posted = read_post(text.encode(), "text/plain", "")
    assert (posted.values, posted.files) == ([text], [])


def test_too_many_torrent_files() -> None:
    part = ("; name=a; filename=a.torrent", b"x")
    assert len(read_post(multipart(*[part] * 1000), "multipart/form-data; boundary=b", "").files)
    with pytest.raises(TooManyError):
        read_post(multipart(*[part] * 1001), "multipart/form-data; boundary=b", "")

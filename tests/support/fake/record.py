"""What reached the server: every request, in order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import parse_qsl

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


@dataclass(slots=True)
class Received:
    """One request as it came in; `status` is what it was answered, None for nothing."""

    time: float
    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    remote: str
    remote_port: int
    outside: bool = False
    body: bytes = b""
    complete: bool = False
    understood: bool = True
    form: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    """The torrent files of a form, by the names that they were given; the last of a name counts."""
    status: int | None = None

    def read(self, body: bytes) -> None:
        """Take the body in, as a form if it is one."""
        self.body, self.complete = body, True
        if self.method != "POST" or not body or "Transfer-Encoding" in self.headers:
            return
        form = parse_form(self.headers.get("Content-Type", ""), body)
        self.form, self.understood = form or {}, form is not None
        self.files = parse_files(self.headers.get("Content-Type", ""), body)

    @property
    def endpoint(self) -> str:
        """The path below /api/v2/, or the whole path."""
        return self.path.removeprefix("/api/v2/")

    @property
    def params(self) -> dict[str, str]:
        """The form of a POST, else the query."""
        return self.form if self.method == "POST" else self.query

    @property
    def magnets(self) -> list[str]:
        """The sources that a torrents/add brings; a torrent file by its name."""
        lines = [line.strip() for line in self.form.get("urls", "").splitlines()]
        return [*(line for line in lines if line), *self.files]


class Record:
    """All requests since the start of the test, also of a server that was restarted."""

    def __init__(self) -> None:
        """Start with nothing received."""
        self.requests: list[Received] = []
        self.connections = 0

    def requests_to(self, endpoint: str) -> list[Received]:
        """Return the requests to one endpoint, such as `torrents/add`."""
        return [request for request in self.requests if request.endpoint == endpoint]

    @property
    def adds(self) -> list[list[str]]:
        """The sources of each torrents/add that came in completely."""
        return [request.magnets for request in self.requests_to("torrents/add") if request.complete]

    def clear(self) -> None:
        """Forget what came in so far."""
        self.requests.clear()
        self.connections = 0


def parse_query(text: str) -> dict[str, str]:
    """Return the last value of each name, as the server does."""
    return dict(parse_qsl(text, keep_blank_values=True, errors="replace"))


def parse_form(content_type: str, body: bytes) -> dict[str, str] | None:
    """Return the form, or None where the server would not understand it."""
    header = Message()
    header["Content-Type"] = content_type
    if header.get_content_type() == URLENCODED:
        return parse_query(body.decode("utf-8", "replace"))
    if (boundary := _boundary(header)) is None:
        return None
    return {
        name: value.decode("utf-8", "replace")
        for name, file, value in _parts(body, boundary)
        if file is None
    }


def parse_files(content_type: str, body: bytes) -> dict[str, bytes]:
    """Return the files in a form."""
    header = Message()
    header["Content-Type"] = content_type
    if (boundary := _boundary(header)) is None:
        return {}
    return {file: value for _, file, value in _parts(body, boundary) if file is not None}


def _boundary(header: Message) -> bytes | None:
    """Return what is between the parts of a form that has some."""
    boundary = header.get_param("boundary")
    is_multipart = header.get_content_type() == MULTIPART
    return boundary.encode() if is_multipart and isinstance(boundary, str) else None


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[str, str | None, bytes]]:
    """Yield the name of every part, the name of its file if it is one, and what it holds."""
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:-1]:
        head, separator, value = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if not separator:
            continue
        header = Message()
        for line in head.decode("utf-8", "replace").split("\r\n"):
            name, _, text = line.partition(":")
            header[name] = text.strip()
        field_name = header.get_param("name", header="content-disposition")
        if isinstance(field_name, str):
            yield field_name, header.get_filename(), value

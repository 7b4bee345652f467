"""Reads what is posted, in whatever form, into values that have its texts."""

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesHeaderParser
from functools import partial
import re
from typing import Any

from ..action_files import MOST_FILES, GivenFile
from ..core.intake import TooManyError
from .slices import load_json, unquoted

_MAGNET = "magnet:?"
_FORM = "application/x-www-form-urlencoded"
_TYPE_OF_TORRENTS = "application/x-bittorrent"
_TORRENT = re.compile(rb"d\d{1,3}:")
_OF_NAMES = ("idna", "punycode")
"""Encodings of the names of hosts; to read a post in one takes hours."""
_LONGEST_HEADER = 8192
_MOST_FIELDS = 200_000
_MOST_PARTS = 10_000


@dataclass(slots=True)
class Posted:
    """What a post says: texts, or values that have texts; how many of its parts are no text.

    `files` are the torrent files in it, or what is said to be one.
    """

    values: list[Any] = field(default_factory=list)
    files: list[GivenFile] = field(default_factory=list)
    unreadable: int = 0

    def add(self, part: bytes, header: Message, name: str | None = None) -> None:
        """Add a part, which is all of the post or a field of it; raises TooManyError."""
        file_name = str(_said(header.get_filename) or "")
        if _is_torrent(part, header, file_name):
            if len(self.files) >= MOST_FILES:
                raise TooManyError(f"more than {MOST_FILES} torrent files")
            self.files.append(GivenFile(file_name, part))
            return
        text = _decoded(part, _said(header.get_content_charset))
        if text is None:
            self.unreadable += 1
            return
        value = _of_text(text, is_form=header.get_content_type() == _FORM)
        self.values.append(value if name is None else {name: value})


def read_post(body: bytes, content_type: str, query: str) -> Posted:
    """Read a post and its query, which is as it was sent.

    The type says what it is only where its beginning does not. Raises TooManyError.
    """
    header = Message()
    header["Content-Type"] = content_type
    boundary = _said(header.get_boundary)
    posted = Posted([_of_form(query)] if query else [])
    if header.get_content_maintype() == "multipart" and boundary:
        for part, of_part in _parts(body, boundary):
            name = _said(partial(of_part.get_param, "name", header="Content-Disposition"))
            posted.add(part, of_part, str(name))
    elif body:
        posted.add(body, header)
    return posted


def _is_torrent(part: bytes, header: Message, file_name: str) -> bool:
    """Tell whether a part is a torrent file, by how it begins or by what is said of it."""
    if _TORRENT.match(part) and b"4:infod" in part:
        return True
    is_named = file_name.lower().endswith(".torrent") and bool(part)
    return is_named or header.get_content_type() == _TYPE_OF_TORRENTS


def _said[T](read: Callable[[], T]) -> T | None:
    """Return what a header says, or None where it cannot be read."""
    try:
        return read()
    except LookupError, TypeError, ValueError:
        return None


def _decoded(body: bytes, charset: Any) -> str | None:
    """Return a text, or None if it is none."""
    for encoding in (charset, "utf-8-sig"):
        try:
            if codecs.lookup(encoding).name not in _OF_NAMES:
                return body.decode(encoding)
        except LookupError, TypeError, ValueError:
            continue
    return None


def _of_text(text: str, *, is_form: bool) -> Any:
    """Return the JSON or the form that a text is, or itself."""
    if text.lstrip()[:1] in ("{", "[", '"'):
        try:
            return load_json(text)
        except ValueError, RecursionError:
            return text
    return _of_form(text) if is_form else text


def _of_form(form: str) -> Any:
    """Return the values of a form by field.

    A link in it that nobody encoded, as by `curl -d`, would be taken apart at each `&`, so what
    follows it is a text.
    """
    at = form.lower().find(_MAGNET)
    if at >= 0 and "=" in form[at:].partition("&")[0]:
        return [_of_form(form[:at]), form[at:]]
    if form.count("&") > _MOST_FIELDS:
        raise TooManyError(f"more than {_MOST_FIELDS} fields")
    fields: dict[str, Any] = {}
    for pair in form.split("&"):
        name, _, value = map(unquoted, pair.partition("="))
        if not pair:
            continue
        text = _of_text(value, is_form=False) if value else name
        if name not in fields:
            fields[name] = text
        elif isinstance(fields[name], list):
            fields[name].append(text)
        else:
            fields[name] = [fields[name], text]
    return fields


def _parts(body: bytes, boundary: str) -> Iterator[tuple[bytes, Message]]:
    """Yield the fields and files of a multipart form, each with its header."""
    delimiter = b"\r\n--" + boundary.encode(errors="replace")
    parts = (b"\r\n" + body).split(delimiter, _MOST_PARTS)
    if delimiter in parts[-1]:
        raise TooManyError(f"more than {_MOST_PARTS} parts")
    for part in parts[1:]:
        if part.startswith(b"--"):
            break
        head, _, content = part.lstrip(b" \t").removeprefix(b"\r\n").partition(b"\r\n\r\n")
        yield content, BytesHeaderParser().parsebytes(head[:_LONGEST_HEADER])

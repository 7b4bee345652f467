"""Reads large JSON and large forms in slices.

The functions that do so are written in C, and nothing else of Home Assistant runs meanwhile, even
if they are called in a thread: 16 MB can take a second.
"""

from collections.abc import Iterator
import re
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from homeassistant.util.json import json_loads

from ..core.gathering import MOST_VALUES
from ..core.intake import TooManyError

SLICE_CHARACTERS = 128 * 1024
"""Some ms of work at once."""
_MOST_DEPTH = 8
"""Of values that are larger than a slice, each in another one."""
_TEXT = r'"[^"\\]*+(?:\\.[^"\\]*+){0,250000}+'
"""With a bound to its escapes, of which a text with links has one for each line or two."""
_TOKEN = re.compile(rf'{_TEXT}(?P<end>")?|[\[\]{{}},]', re.DOTALL)
_KEY = re.compile(rf'\s*({_TEXT}")\s*:', re.DOTALL)
_ESCAPE_LENGTH = len("%41")


def load_json(text: str) -> Any:
    """Return what a JSON text says; raises ValueError if it is none, and TooManyError."""
    if len(text) <= SLICE_CHARACTERS:
        return _read(text)
    if sum(map(text.count, ",[{")) > 2 * MOST_VALUES:  # commas in texts count as well
        raise TooManyError(f"more than {MOST_VALUES} values")
    return _load(text.strip(), _MOST_DEPTH)


def _read(text: str) -> Any:
    return json_loads(text)


def _load(text: str, depth: int) -> Any:
    """Return what a text without blanks around it says."""
    if len(text) <= SLICE_CHARACTERS or text[:1] not in ("[", "{"):
        return _read(text)
    if not depth:
        raise ValueError("nested too deeply")
    if text[0] == "[":
        items: list[Any] = []
        for part, is_one in _parts(text):
            if is_one:
                items.append(_load(part, depth - 1))
            else:
                items += _read(f"[{part}]")
        return items
    fields: dict[str, Any] = {}
    for part, is_one in _parts(text):
        if not is_one:
            fields |= _read(f"{{{part}}}")
            continue
        if (key := _KEY.match(part)) is None:
            raise ValueError("a field without a name")
        fields[_read(key[1])] = _load(part[key.end() :].strip(), depth - 1)
    return fields


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the items in a list, or the fields of an object, in slices.

    One that is too large for a slice comes by itself, which the flag tells.
    """
    depth, start, end = 0, 1, 1
    for token in _TOKEN.finditer(text):
        what = token[0]
        if what[0] == '"' and token["end"] is None:
            raise ValueError("a text without an end")
        if what in ("[", "{"):
            depth += 1
            continue
        if what in ("]", "}"):
            depth -= 1
        if depth > 1 or (depth and what != ","):
            continue
        # An item ends here, and with the last one the list.
        at = token.start()
        if at - end > SLICE_CHARACTERS:
            if start < end - 1:
                yield text[start : end - 1], False
            yield text[end:at].strip(), True
            start = token.end()
        elif at - start > SLICE_CHARACTERS or not depth:
            if text[start:at].strip():
                yield text[start:at], False
            start = token.end()
        end = token.end()
        if not depth:
            break
    if end != len(text) or text[-1] != ("]" if text[0] == "[" else "}"):
        raise ValueError("ends before its end, or after it")


def unquoted(text: str) -> str:
    """Return a value of a form as it was before it was encoded."""
    text = text.replace("+", " ")
    if len(text) <= SLICE_CHARACTERS or "%" not in text:
        return unquote(text, errors="replace")
    found = bytearray()
    start = 0
    while start < len(text):
        end = start + SLICE_CHARACTERS
        if (escape := text.rfind("%", max(start + 1, end - _ESCAPE_LENGTH + 1), end)) > start:
            end = escape
        found += unquote_to_bytes(text[start:end])
        start = end
    return found.decode(errors="replace")

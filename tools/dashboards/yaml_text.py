"""YAML as a person writes it: short lists in one line, texts as blocks, some items in comments."""

from collections.abc import Iterator, Sequence
import json
from typing import Any

WIDTH = 90


def yaml_text(value: dict[str, Any], optional: Sequence[str]) -> str:
    """Return YAML; an item of a list that names something optional is in comments."""
    return "\n".join(line.rstrip() for line in _mapping(value, tuple(optional))) + "\n"


def _mapping(value: dict[str, Any], optional: tuple[str, ...]) -> Iterator[str]:
    for key, one in value.items():
        if isinstance(one, str) and "\n" in one:
            yield f"{key}: |-"
            yield from (f"  {line}" for line in one.splitlines())
        elif (text := _short(one)) is not None and not _names(one, optional):
            yield f"{key}: {text}"
        elif isinstance(one, dict):
            yield f"{key}:"
            yield from (f"  {line}" for line in _mapping(one, optional))
        else:
            yield f"{key}:"
            yield from (f"  {line}" for item in one for line in _item(item, optional))


def _item(item: Any, optional: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of an item; a comment where it is optional, all of it."""
    lines = [_scalar(item)] if isinstance(item, str) else list(_mapping(item, optional))
    sign = "# " if _belongs(item, optional) else ""
    for number, line in enumerate(lines):
        margin = "  " if number else "- "
        yield f"{sign}{margin}{line}"


def _belongs(item: Any, optional: tuple[str, ...]) -> bool:
    """Return whether an item is about something optional; what only contains such items is not."""
    if isinstance(item, str):
        return item.startswith(optional)
    return str(item.get("entity", "")).startswith(optional)


def _names(value: Any, optional: tuple[str, ...]) -> bool:
    """Return whether a list has items that are optional."""
    return isinstance(value, list) and any(_belongs(one, optional) for one in value)


def _short(value: Any) -> str | None:
    """Return what fits into a line: a scalar, or a list or mapping of scalars that is not long."""
    if isinstance(value, list):
        if not all(_is_scalar(one) for one in value) or any("." in str(one) for one in value):
            return None
        text = f"[{', '.join(_scalar(one) for one in value)}]"
        return text if len(text) < WIDTH else None
    return _scalar(value) if _is_scalar(value) else None


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, dict | list)


def _scalar(value: Any) -> str:
    """Return a scalar, quoted where YAML would take it for something else."""
    if not isinstance(value, str):
        return json.dumps(value)
    words = ("on", "off", "yes", "no", "true", "false", "null", "~", "")
    is_plain = value[:1].isalnum() and not set(value) & set("#[]{},&*!|>'\"%@`")
    is_safe = ": " not in value and not value.endswith(":") and value.lower() not in words
    is_number = value.replace(".", "").isdigit()
    return value if is_plain and is_safe and not is_number else json.dumps(value)

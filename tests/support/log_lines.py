"""What no line of the log may say, in whatever test: names of classes, wrong plurals."""

import re

_FAULTS = re.compile(
    r"\b[A-Z]\w*(?:Error|Exception)\b"  # the name of a class
    r"|(?<![\w.])1 (?:\w+ )?magnets\b|(?<![\w.])(?!1 )\d+ (?:\w+ )?magnet\b"
    r"|\bNone\b"
)


def faults(line: str) -> list[str]:
    """Return what is wrong with a line."""
    return [found.group() for found in _FAULTS.finditer(line)]

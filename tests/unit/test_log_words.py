"""What the log says of numbers and errors."""

from pathlib import Path

import pytest

from custom_components.qbittorrent_resilient.core.log_words import cause, counted
from tests.support.log_lines import faults

FOLDER = Path(__file__).parents[2] / "custom_components" / "qbittorrent_resilient"


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 magnets"), (1, "1 magnet"), (2, "2 magnets"), (1000, "1000 magnets")]
)
def test_counted(count: int, text: str) -> None:
    assert counted(count, "magnet") == text


def test_cause_in_the_words_of_the_system() -> None:
    assert cause(PermissionError(13, "Permission denied", "/secret")) == "permission denied"


def test_cause_is_where_it_was_and_not_what_was_read() -> None:
    def read() -> None:
        raise ValueError("passkey123")

    with pytest.raises(ValueError, match="passkey123") as caught:
        read()
    told = cause(caught.value)
    assert told.startswith("unexpected error in test_log_words.py, line ")
    assert cause(ValueError("passkey123")) == "unexpected error"


@pytest.mark.parametrize(
    "line",
    [
        "Cannot connect: ClientConnectorError",
        "ValueError: no",
        "a TimeoutError occurred",
        "Delivered 1 magnets from the queue",
        "1 stored magnets cannot be read",
        "Delivered 2 magnet from the queue",
        "First is not usable: None",
    ],
)
def test_what_no_line_may_say(line: str) -> None:
    assert faults(line)


@pytest.mark.parametrize(
    "line",
    ["Delivered 1 magnet", "Delivered 21 magnets", "11 magnets", "First is not usable: error (no)"],
)
def test_what_a_line_may_say(line: str) -> None:
    assert not faults(line)


def test_no_line_counts_without_its_noun() -> None:
    """Not every line is reached by tests: none has a number beside a plural of its own."""
    for path in FOLDER.rglob("*.py"):
        for line in path.read_text().splitlines():
            assert "%d magnet" not in line or "More than" in line, f"{path.name}: {line}"
            assert "__name__" not in line or "getLogger" in line or "link_text" in path.name

"""What the demo prints: a table on standard output, progress on standard error."""

from collections.abc import Sequence
import sys
import time


class Console:
    """Prints one table row a step, and what is going on in between."""

    def __init__(self, headings: Sequence[str], widths: Sequence[int]) -> None:
        """Set the columns of the table."""
        self._headings = headings
        self._widths = [max(width, len(text)) for width, text in zip(widths, headings, strict=True)]
        self._note = ""
        self._began = time.monotonic()
        self._tty = sys.stderr.isatty()

    def say(self, text: str = "") -> None:
        """Print a line."""
        self._clear()
        print(text, flush=True)

    def note(self, text: str) -> None:
        """Say what is going on: over and over in one line, or once where that cannot be."""
        if self._tty:
            seconds = time.monotonic() - self._began
            print(f"\r\x1b[K  [{seconds:4.0f} s] {text}", end="", file=sys.stderr, flush=True)
        elif text != self._note:
            print(f"  ... {text}", file=sys.stderr, flush=True)
        self._note = text

    def head(self) -> None:
        """Print the head of the table."""
        self._line(self._headings)
        self.say("-+-".join("-" * width for width in self._widths))

    def row(self, cells: Sequence[str]) -> None:
        """Print a row of the table."""
        self._line(cells)

    def _line(self, cells: Sequence[str]) -> None:
        """Print cells in their columns."""
        padded = (text.ljust(width) for text, width in zip(cells, self._widths, strict=True))
        self.say(" | ".join(padded).rstrip())

    def _clear(self) -> None:
        """Remove the line of progress."""
        if self._tty and self._note:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        self._note = ""

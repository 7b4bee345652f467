"""The plot of adding: the time of a call by the number of magnets, beside every other way."""

from collections.abc import Mapping, Sequence
import math

from .page import Line
from .svg import PALE, Picture

OURS = "this integration"
COLOURS = ("#0550ae", "#57606a", "#8250df", "#bf8700", "#1a7f37", "#cf222e")
LEFT, RIGHT, TOP, BOTTOM = 64, 450, 56, 380
DECADES = (-4, 1)
"""The powers of ten that the seconds are between."""
LABEL_HEIGHT = 17
UNITS = {-4: "0.1 ms", -3: "1 ms", -2: "10 ms", -1: "0.1 s", 0: "1 s", 1: "10 s"}


def adding(title: str, lines: Sequence[Line]) -> str:
    """Return the picture of one table; both axes are logarithmic."""
    counts = [int(line.what.split()[0].replace(",", "")) for line in lines]
    picture = Picture(title, 840, 430)
    picture.text((LEFT, 22), title, bold=True)
    first, last = math.log10(counts[0]), math.log10(counts[-1])

    def place(count: int, seconds: float) -> tuple[float, float]:
        across = (math.log10(count) - first) / (last - first)
        up = (math.log10(seconds) - DECADES[0]) / (DECADES[1] - DECADES[0])
        return LEFT + across * (RIGHT - LEFT), BOTTOM - up * (BOTTOM - TOP)

    for power in range(DECADES[0], DECADES[1] + 1):
        _, y = place(counts[0], 10**power)
        picture.line((LEFT, y), (RIGHT, y), PALE)
        picture.text((LEFT - 8, y), UNITS[power], anchor="end")
    for count in counts:
        x, _ = place(count, 1)
        picture.line((x, TOP), (x, BOTTOM), PALE)
        picture.text((x, BOTTOM + 16), f"{count:,}", anchor="middle")
    below = "magnets in a call; both scales are logarithmic"
    picture.text(((LEFT + RIGHT) / 2, BOTTOM + 36), below, anchor="middle")

    names = [OURS, *lines[-1].beside]
    colours = dict(zip(names, COLOURS, strict=False))
    ends: dict[str, float] = {}
    for name in reversed(names):  # ours is on top
        points = [
            place(count, (line.ours if name == OURS else line.beside[name]).middle)
            for count, line in zip(counts, lines, strict=True)
        ]
        picture.path(points, colours[name], 3.5 if name == OURS else 1.5)
        ends[name] = points[-1][1]
    for name, y in _apart(ends).items():
        picture.line((RIGHT + 5, ends[name]), (RIGHT + 20, y), colours[name])
        picture.text((RIGHT + 24, y), name, colours[name], bold=name == OURS)
    return picture.render()


def _apart(ends: Mapping[str, float]) -> dict[str, float]:
    """Return where the labels stand: near the ends of their lines, and none over another."""
    names = sorted(ends, key=lambda name: ends[name])
    places = [ends[name] for name in names]
    for _ in range(100):  # push those apart that are too close, both by the same
        for number in range(1, len(places)):
            gap = LABEL_HEIGHT - (places[number] - places[number - 1])
            if gap > 0:
                places[number - 1] -= gap / 2
                places[number] += gap / 2
    return dict(zip(names, places, strict=True))

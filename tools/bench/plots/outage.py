"""The plot of an outage: what fell, and what each sensor said of it, on one line of time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .page import Figure, Line
from .svg import INK, PALE, Picture

UP, DOWN = "#54aeff", "#ffb77c"
LEFT, PANEL, GAP = 190, 300, 30
"""Where the first panel begins, how wide each is, and what is between them."""
SECONDS = 40
"""How long a panel is: the goal."""
TOP, STRIP, ROW = 92, 22, 30


@dataclass(frozen=True, slots=True)
class Row:
    """One line of time: after how many seconds it told the fall, and the return."""

    name: str
    down: Figure
    up: Figure
    note: str = ""


AT_ONCE = Figure(0, 0, 0)


def outage(title: str, lines: Sequence[Line], drained: str) -> str:
    """Return the picture; `drained` says what follows once our sensor for the server is on."""
    told = {line.what: line for line in lines}
    vpn = _rows("the VPN itself", told, ("VPN link down", "off"), ("VPN link up", "on"))
    server = _rows("the server itself", told, ("server killed", "off"), ("server started", "on"))
    picture = Picture(title, LEFT + 2 * PANEL + GAP + 20, TOP + 6 * ROW + 82)
    picture.text((16, 22), title, bold=True)
    back = LEFT + PANEL + GAP
    for start, heading in ((LEFT, "it goes down"), (back, "it comes back")):
        picture.text((start, 52), heading, bold=True)
        for seconds in range(0, SECONDS + 1, 10):
            x = _x(start, seconds)
            picture.line((x, TOP - 14), (x, TOP + 6 * ROW + 10), PALE)
            picture.text((x, TOP - 22), f"{seconds} s", anchor="middle")
    y = float(TOP)
    for group in (vpn, server):
        for row in group:
            _draw(picture, row, y, back)
            y += ROW
        y += 12
    y += 6
    for x, colour, word in ((LEFT, UP, "on"), (LEFT + 70, DOWN, "off")):
        picture.box((x, y - 6), (12, 12), colour)
        picture.text((x + 18, y), word)
    picture.line((LEFT + 150, y), (LEFT + 180, y), INK, 2)
    picture.text((LEFT + 188, y), "earliest to latest of all runs; a strip changes at the median")
    picture.text((16, y + 26), drained)
    return picture.render()


def _rows(
    itself: str, told: Mapping[str, Line], down: tuple[str, str], up: tuple[str, str]
) -> Iterable[Row]:
    """Yield what fell, our sensor for it, and the one beside."""
    falls, rises = (told[f"{what} → its sensor {state}"] for what, state in (down, up))
    yield Row(itself, AT_ONCE, AT_ONCE)
    yield Row("this integration", falls.ours, rises.ours)
    for name, fall in falls.beside.items():
        yield Row(name, fall, rises.beside[name])


def _draw(picture: Picture, row: Row, y: float, back: float) -> None:
    is_told = row.down != AT_ONCE
    picture.text((LEFT - 14, y + STRIP / 2), row.name, anchor="end", bold=not is_told)
    for start, at, before, after in ((LEFT, row.down, UP, DOWN), (back, row.up, DOWN, UP)):
        turn, end = _x(start, at.middle), _x(start, SECONDS)
        picture.box((start, y), (turn - start, STRIP), before)
        picture.box((turn, y), (end - turn, STRIP), after)
        if is_told:
            middle = y + STRIP / 2
            picture.line((_x(start, at.low), middle), (_x(start, at.high), middle), INK, 2)
            picture.text((start + 6, middle), f"{at.middle:.1f} s")


def _x(start: float, seconds: float) -> float:
    return start + seconds / SECONDS * PANEL

"""Draws the plots of docs/benchmark.md from the figures of its own tables."""

from pathlib import Path

from .adding import adding
from .outage import outage
from .page import tables

ADDING = "Adding magnets to qBittorrent "
WAKING, OUTAGES = "A server is back, and magnets are queued", "Outages, checked every "


def draw(page: str) -> dict[str, str]:
    """Return the pictures by the names of their files; of two versions, that of the last table.

    A picture whose tables are not there, as only a part was measured, is left out.
    """
    found = tables(page)
    pictures = {}
    title = next((one for one in reversed(found) if one.startswith(ADDING)), None)
    if title is not None:
        pictures["benchmark-adding.svg"] = adding(f"{title}: time of a call", found[title])
    outages = next((one for one in found if one.startswith(OUTAGES)), None)
    if outages is not None and WAKING in found:
        first, everything = found[WAKING][-2:]
        drained = (
            f"Then the queue: the first magnet is on the server {first.ours.middle:.2f} s after "
            f"the sensor is on, all 1,000 after {everything.ours.middle:.2f} s."
        )
        heading = f"An outage, c{outages.partition(', c')[2]}"
        pictures["benchmark-outage.svg"] = outage(heading, found[outages], drained)
    return pictures


def write_plots(page: Path) -> None:
    """Draw what the tables of a page tell, beside it."""
    for name, picture in draw(page.read_text(encoding="utf-8")).items():
        (page.parent / "images" / name).write_text(picture, encoding="utf-8")

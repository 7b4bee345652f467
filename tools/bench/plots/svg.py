"""A picture in SVG that grows by shapes; on white paper, as it is shown on dark pages, too."""

from dataclasses import dataclass, field
from html import escape

INK, PALE = "#1f2328", "#d0d7de"


@dataclass(slots=True)
class Picture:
    """A picture of a size; what is drawn later is on top."""

    title: str
    width: int
    height: int
    _shapes: list[str] = field(default_factory=list)

    def line(
        self, start: tuple[float, float], end: tuple[float, float], colour: str, width: float = 1
    ) -> None:
        """Draw a line."""
        (x1, y1), (x2, y2) = start, end
        self._shapes.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}" stroke-width="{width}"/>'
        )

    def path(self, points: list[tuple[float, float]], colour: str, width: float) -> None:
        """Draw lines from point to point, with a dot at each."""
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._shapes.append(
            f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
        )
        self._shapes += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{width + 1:.1f}" fill="{colour}"/>'
            for x, y in points
        ]

    def box(self, corner: tuple[float, float], size: tuple[float, float], colour: str) -> None:
        """Fill a rectangle."""
        (x, y), (width, height) = corner, size
        self._shapes.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'fill="{colour}"/>'
        )

    def text(
        self,
        place: tuple[float, float],
        text: str,
        colour: str = INK,
        *,
        anchor: str = "start",
        bold: bool = False,
    ) -> None:
        """Write a text; its middle line is at the place."""
        x, y = place
        weight = ' font-weight="bold"' if bold else ""
        self._shapes.append(
            f'<text x="{x:.1f}" y="{y + 4.5:.1f}" fill="{colour}" text-anchor="{anchor}"{weight}>'
            f"{escape(text)}</text>"
        )

    def render(self) -> str:
        """Return the file."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.width}" height="{self.height}" role="img" '
            'font-family="system-ui, sans-serif" font-size="13">'
        )
        paper = f'<rect width="{self.width}" height="{self.height}" rx="6" fill="#ffffff"/>'
        lines = [head, f"<title>{escape(self.title)}</title>", paper, *self._shapes, "</svg>"]
        return "\n".join(lines) + "\n"

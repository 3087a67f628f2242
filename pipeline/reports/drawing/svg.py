"""A figure as SVG: a few kinds of shapes, positioned in pixels, coloured by role.

SVG is written directly for three reasons: the page's theme colours the figure (shapes carry
classes, not colours), text stays text, and a figure takes about 1 ms, where a plotting library
takes some 100 ms.
"""

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import as_file, files
from typing import Literal

import resvg_py

from pipeline.data.printable import printable
from pipeline.reports.drawing.palette import Role, file_rules

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]

SIZE = 13.0  # font size in pixels
_LETTER = 0.6  # width of a letter relative to its size: DejaVu Sans, wider than most
_BOLD_LETTER = 0.66
_LEAST_SCALE = 0.8  # a page scrolls a figure sideways rather than shrink it further
_ZOOM = 2.0  # dots per pixel of a PNG
_MARGIN = 12.0  # around a stand-alone figure
_FONT = "font-family:'DejaVu Sans',Verdana,sans-serif"


def width_of(words: str, size: float = SIZE, bold: bool = False) -> float:
    """Estimate the width of text in pixels, rather too wide than too narrow."""
    return len(words) * size * (_BOLD_LETTER if bold else _LETTER)


class Drawing:
    """An SVG under construction; the origin is at the top left."""

    def __init__(self, width: float, height: float):
        self.width, self.height = width, height
        self._shapes: list[str] = []

    def line(
        self, start: Point, end: Point, role: Role, width: float = 1.0, dash: str | None = None
    ) -> None:
        """Draw a straight line."""
        (x1, y1), (x2, y2) = start, end
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self._shapes.append(
            f'<path class="s-{role}" stroke-width="{_n(width)}"{dashes} '
            f'd="M{_n(x1)} {_n(y1)}L{_n(x2)} {_n(y2)}"/>'
        )

    def curve(self, points: Iterable[Point], role: Role) -> None:
        """Draw a line through several points."""
        self._shapes.append(
            f'<path class="s-{role}" stroke-width="2" stroke-linejoin="round" d="{_path(points)}"/>'
        )

    def area(self, outline: Iterable[Point], role: Role, opacity: float) -> None:
        """Draw a filled polygon."""
        path = _path(outline)
        self._shapes.append(f'<path class="f-{role}" opacity="{_n(opacity)}" d="{path}Z"/>')

    def dot(self, centre: Point, radius: float, role: Role, opacity: float = 1.0) -> None:
        """Draw a filled circle."""
        place = f'cx="{_n(centre[0])}" cy="{_n(centre[1])}" r="{_n(radius)}"'
        self._shapes.append(f'<circle class="f-{role}" {place}{_faint(opacity)}/>')

    def box(self, corner: Point, size: Point, role: Role, opacity: float = 1.0) -> None:
        """Draw a filled rectangle, given its top left corner."""
        (x, y), (width, height) = corner, size
        self._shapes.append(
            f'<rect class="f-{role}" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" '
            f'height="{_n(height)}"{_faint(opacity)}/>'
        )

    def text(
        self,
        place: Point,
        words: str,
        role: Role = "ink",
        *,
        anchor: Anchor = "start",
        size: float = SIZE,
        bold: bool = False,
        turn: float = 0.0,
    ) -> None:
        """Write one line of text; `place` is on its baseline, `turn` rotates it in degrees."""
        x, y = place
        style = "" if anchor == "start" else f' text-anchor="{anchor}"'
        style += "" if size == SIZE else f' font-size="{_n(size)}"'
        style += ' font-weight="600"' if bold else ""
        style += f' transform="rotate({_n(turn)} {_n(x)} {_n(y)})"' if turn else ""
        self._shapes.append(
            f'<text class="f-{role}" x="{_n(x)}" y="{_n(y)}"{style}>{_escaped(words)}</text>'
        )

    def place(self, other: "Drawing", corner: Point) -> None:
        """Insert another drawing with its top left corner at `corner`."""
        shift = f"translate({_n(corner[0])} {_n(corner[1])})"
        self._shapes.append(f'<g transform="{shift}">{"".join(other._shapes)}</g>')

    def inline(self, description: str) -> str:
        """Return an element for a page that includes `palette.page_rules()`.

        Args:
            description: the text alternative for screen readers.
        """
        least = f"min-width:{_n(self.width * _LEAST_SCALE)}px"
        style = f"max-width:{_n(self.width * 1.15)}px;{least}"
        return (
            f'<svg role="img" aria-label="{_escaped(description)}" {self._box} style="{style}">'
            f"{''.join(self._shapes)}</svg>"
        )

    def document(self) -> str:
        """Return a stand-alone SVG file on white."""
        whole = Drawing(self.width + 2 * _MARGIN, self.height + 2 * _MARGIN)
        whole.box((0, 0), (whole.width, whole.height), "paper")
        whole.place(self, (_MARGIN, _MARGIN))
        size = f'width="{_n(whole.width)}" height="{_n(whole.height)}"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {whole._box}>'
            f"<style>{file_rules()}svg{{{_FONT}}}</style>{''.join(whole._shapes)}</svg>\n"
        )

    @property
    def _box(self) -> str:
        return f'viewBox="0 0 {_n(self.width)} {_n(self.height)}" font-size="{_n(SIZE)}"'


def sheet(panels: Sequence[Drawing], columns: int) -> Drawing:
    """Combine drawings of the same size into one, row by row."""
    columns = max(1, min(columns, len(panels)))
    rows = -(-len(panels) // columns)
    width = max((panel.width for panel in panels), default=0)
    height = max((panel.height for panel in panels), default=0)
    whole = Drawing(width * columns, height * rows)
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        whole.place(panel, (column * width, row * height))
    return whole


def png(drawing: Drawing) -> bytes:
    """Render a PNG on white, 2 dots per pixel, with the same font on every machine."""
    fonts = files("matplotlib") / "mpl-data/fonts/ttf"
    with as_file(fonts / "DejaVuSans.ttf") as plain, as_file(fonts / "DejaVuSans-Bold.ttf") as bold:
        return bytes(
            resvg_py.svg_to_bytes(
                svg_string=drawing.document(),
                zoom=_ZOOM,
                skip_system_fonts=True,
                font_files=[str(plain), str(bold)],
                font_family="DejaVu Sans",
                sans_serif_family="DejaVu Sans",
            )
        )


def _escaped(words: str) -> str:
    return escape(printable(words))


def _path(points: Iterable[Point]) -> str:
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)


def _faint(opacity: float) -> str:
    return "" if opacity == 1 else f' opacity="{_n(opacity)}"'


def _n(value: float) -> str:
    """Format a number with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")

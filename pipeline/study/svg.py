"""Figures as files, and as SVG inside a page that follows the reader's light or dark theme."""

import io
import re
from html import escape

import matplotlib
from matplotlib.figure import Figure

from pipeline.figures import BLUE, ORANGE
from pipeline.study.figures import GREY, INK, LIGHT, PAPER

_ROLES = {INK: "ink", GREY: "grey", LIGHT: "light", PAPER: "paper", BLUE: "blue", ORANGE: "orange"}


def png(figure: Figure) -> bytes:
    """A picture of 150 dots an inch on white."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150, facecolor="white")
    return buffer.getvalue()


def svg(figure: Figure, name: str, transparent: bool = False) -> str:
    """The figure as an SVG document, the same whenever it is drawn again.

    Args:
        figure: what to draw.
        name: tells its identifiers from those of other figures on the same page.
        transparent: without the white ground.
    """
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", transparent=transparent, metadata={"Date": None})
    return buffer.getvalue()


def inline_svg(figure: Figure, name: str, description: str) -> str:
    """The figure as an element of a page; its colours are the page's (`--ink`, `--blue`, ...).

    Args:
        figure: what to draw.
        name: tells its identifiers from those of other figures on the same page.
        description: for people who do not see it.
    """
    text = svg(figure, name, transparent=True)
    text = text[text.index("<svg") :]
    for colour, role in _ROLES.items():
        text = re.sub(colour, f"var(--{role})", text, flags=re.IGNORECASE)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, count=1, flags=re.DOTALL)
    text = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{name}-", text)
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(description)}"', 1)

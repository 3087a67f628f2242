"""Figures as PNG, for documents that take no SVG."""

from importlib.resources import as_file, files

import resvg_py

from pipeline.reports.drawing.svg import Drawing

_ZOOM = 2.0


def png(drawing: Drawing) -> bytes:
    """A picture on white, two dots a pixel, with the same letters on every machine."""
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

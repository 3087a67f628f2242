"""Pages from templates: one style, self-contained, no network requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from pipeline.data.printable import printable
from pipeline.reports.drawing.palette import DARK, LIGHT, page_rules, variables


@dataclass(frozen=True)
class Table:
    """A table of formatted cells."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]  # the cells of each row, one per column
    marked: int | None = None  # index of the row to emphasize, from 0; None for none


def number(value: float | None, form: str) -> str:
    """Format a number for a cell; a dash if it is None."""
    return "–" if value is None else f"{value:{form}}"


def capitalized(words: str) -> str:
    """Return words with a capital first letter; the others stay as they are."""
    return words[:1].upper() + words[1:]


def render_page(package: str, name: str, **values: object) -> str:
    """Render an HTML template.

    Values are escaped unless they are marked safe; control characters become visible symbols.

    Args:
        package: the package whose `templates` folder contains the template. The templates of this
            package are available as well.
        name: file name of the template, which extends `page.html.j2`.
    """
    page = _environment(package, True).get_template(name).render(style=_style(), **values)
    return printable(page)


def render_text(package: str, name: str, **values: object) -> str:
    """Render a template that is not HTML."""
    return printable(_environment(package, False).get_template(name).render(**values))


@cache
def _style() -> str:
    template = _environment("pipeline.reports.drawing", False).get_template("style.css.j2")
    return template.render(light=variables(LIGHT), dark=variables(DARK), figures=page_rules())


@cache
def _environment(package: str, escape: bool) -> Environment:
    return Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("pipeline.reports.drawing")]),
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )

"""Pages from templates: one look, everything in one file, no network requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from pipeline.data.printable import printable
from pipeline.reports.drawing.palette import DARK, LIGHT, page_rules, variables


@dataclass(frozen=True)
class Table:
    """Cells for people.

    Attributes:
        columns: headings.
        rows: as many cells each.
        marked: the number of the row to emphasize, from 0; None for none.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    marked: int | None = None


def number(value: float | None, form: str) -> str:
    """A number in a cell; a dash where there is none."""
    return "–" if value is None else f"{value:{form}}"


def render_page(package: str, name: str, **values: object) -> str:
    """Fill in an HTML template.

    Values are escaped unless they are marked safe; control characters become visible symbols.

    Args:
        package: whose `templates` folder holds it, beside the templates of this package.
        name: of its file; it extends `page.html.j2`.
        values: what the template shows.
    """
    page = _environment(package, True).get_template(name).render(style=_style(), **values)
    return printable(page)


def render_text(package: str, name: str, **values: object) -> str:
    """Fill in a template that is not HTML."""
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

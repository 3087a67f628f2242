"""A page and its figures as files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from pipeline.study import figures, tables
from pipeline.study.analysis import Analysis
from pipeline.study.measures import MAIN
from pipeline.study.page import Page
from pipeline.study.reference import References
from pipeline.study.svg import inline_svg, png, svg


@dataclass(frozen=True)
class Drawn:
    """A figure, what it shows, and itself as part of a page."""

    figure: Figure
    caption: str
    inline: str


def draw(analysis: Analysis, baselines: References) -> dict[str, Drawn]:
    """All figures of a report, by the name of their files."""
    several = len(analysis.gathered.varied) > 1
    effects = [comparison for effect in analysis.effects for comparison in effect.comparisons]
    shown = figures.panels(analysis)
    some = "" if len(shown) == len(analysis.variants) else " The six best and the six worst."
    band = f"Mean over seeds, between the lowest and the highest; all axes the same.{some}"
    drawn: dict[str, tuple[Figure, str]] = {
        "forest": (
            figures.forest(analysis, baselines),
            f"{MAIN.title} of each setting: mean, interval, and each seed as a small dot.",
        ),
        "loss": (figures.curves(shown, "loss", "Cross-entropy loss"), f"Loss. {band}"),
        "accuracy": (figures.curves(shown, "accuracy", "Accuracy"), f"Accuracy. {band}"),
    }
    if several:
        caption = "Each combination's mean score."
        drawn["heat_map"] = (figures.heat_map(analysis), caption)
    if effects:
        caption = "What each key does, averaged over the settings of the others."
        drawn["effects"] = (figures.differences(effects), caption)
    if analysis.comparisons:
        caption = "Paired differences; blue where shown, grey where not."
        drawn["differences"] = (figures.differences(analysis.comparisons), caption)
    return {
        name: Drawn(figure, caption, inline_svg(figure, name, caption))
        for name, (figure, caption) in drawn.items()
    }


def render(page: Page, analysis: Analysis, drawn: Mapping[str, Drawn]) -> dict[str, bytes]:
    """Every file of a report, by its path.

    Returns:
        `report.html` (all in one), `report.md`, `figures/*.png`, `figures/*.svg`, `runs.csv`,
        `summary.csv` and `verdict.json`.
    """
    gathered = analysis.gathered
    texts = {
        "report.html": _template("report.html.j2", escape=True, page=page, figures=drawn),
        "report.md": _template("report.md.j2", escape=False, page=page, figures=drawn),
        "runs.csv": tables.runs_csv(gathered.runs, gathered.varied),
        "summary.csv": tables.summary_csv(analysis.variants),
        "verdict.json": _verdict(page, analysis),
    }
    files = {path: text.encode() for path, text in texts.items()}
    for name, one in drawn.items():
        files[f"figures/{name}.png"] = png(one.figure)
        files[f"figures/{name}.svg"] = svg(one.figure, name).encode()
    return files


def _template(name: str, escape: bool, **values: object) -> str:
    environment = Environment(
        loader=PackageLoader("pipeline.study"),
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name).render(**values)


def _verdict(page: Page, analysis: Analysis) -> str:
    """The answer for programs, and for a table of several studies."""
    judgement = page.verdict.judgement
    document = {
        "title": analysis.gathered.title,
        "question": page.question,
        "headline": page.verdict.headline,
        "points": page.verdict.points,
        "claim": page.claim.said if page.claim else None,
        "outcome": judgement.outcome if judgement else None,
        "because": judgement.because if judgement else None,
        "seeds": analysis.seeds,
        "runs": sum(len(variant.runs) for variant in analysis.variants),
        "data": page.provenance.facts["data"],
        "command": page.provenance.facts["runs made by"],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

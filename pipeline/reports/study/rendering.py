"""Renders a page and its figures as files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.reports.drawing.pages import capitalized, render_page, render_text
from pipeline.reports.drawing.svg import Drawing, png, sheet
from pipeline.reports.run.run_figures import loss_title
from pipeline.reports.study import tables
from pipeline.reports.study.curve_figures import curves
from pipeline.reports.study.heat_map import heat_map
from pipeline.reports.study.reference import References
from pipeline.reports.study.score_figures import MANY, differences, forest
from pipeline.reports.study.setting_comparison import Analysis
from pipeline.reports.study.study_page import StudyPage
from pipeline.settings.scores import SCORES
from pipeline.tasks import task_named
from pipeline.tracking import names

_PACKAGE = "pipeline.reports.study"
_COLUMNS = 3  # panels per row in a file


@dataclass(frozen=True)
class Drawn:
    """A figure of one drawing or of several panels, with its caption."""

    drawings: Sequence[Drawing]
    caption: str

    @property
    def inline(self) -> str:
        """HTML for a page; the panels flow into as many columns as fit."""
        shown = "".join(drawing.inline(self.caption) for drawing in self.drawings)
        return f'<div class="panels">{shown}</div>' if len(self.drawings) > 1 else shown

    @property
    def whole(self) -> Drawing:
        """One drawing for a file."""
        return sheet(self.drawings, _COLUMNS)


def draw(analysis: Analysis, baselines: References) -> dict[str, Drawn]:
    """Draw all figures of a report, by file name."""
    count = len(analysis.variants)
    effects = [comparison for effect in analysis.effects for comparison in effect.comparisons]
    some = "" if count <= MANY else f" The three best and the three worst of {count}."
    band = f"by epoch: mean and range over seeds, all on the same axes.{some}"
    main = capitalized(analysis.main.title)
    measure = task_named(analysis.task).measure
    best = "" if analysis.best is None else " {}: the best on validation."
    drawn = {
        "forest": Drawn(
            [forest(analysis, baselines)],
            f"{main} of each setting: mean, interval, and each seed as a small dot."
            + best.format("Blue"),
        ),
        "loss": Drawn(curves(analysis, "loss"), f"{loss_title(measure)} {band}"),
        measure: Drawn(curves(analysis, measure), f"{capitalized(SCORES[measure].title)} {band}"),
    }
    if len(analysis.gathered.varied) > 1:
        caption = f"{main} of each combination, mean over seeds; deeper colour: better."
        drawn["heat_map"] = Drawn([heat_map(analysis)], caption + best.format("Bold"))
    if effects:
        caption = "The effect of each key, averaged over the settings of the others."
        drawn["effects"] = Drawn([differences(effects, analysis.main)], caption)
    if compared := analysis.comparisons:
        few = "" if len(compared) <= MANY else f" The first {MANY} of {len(compared)}."
        caption = f"Paired differences; blue where shown, grey where not.{few}"
        drawn["differences"] = Drawn([differences(compared, analysis.main)], caption)
    return drawn


def render(page: StudyPage, analysis: Analysis, drawn: Mapping[str, Drawn]) -> dict[str, bytes]:
    """Render every file of a report, by its path.

    Returns:
        `report.html` (self-contained), `report.md`, `figures/*.png`, `figures/*.svg`, `runs.csv`,
        `summary.csv` and `verdict.json`.
    """
    gathered = analysis.gathered
    texts = {
        names.PAGE: render_page(_PACKAGE, "report.html.j2", page=page, figures=drawn, many=MANY),
        "report.md": render_text(_PACKAGE, "report.md.j2", page=page, figures=drawn),
        "runs.csv": tables.runs_csv(gathered.runs, gathered.varied, analysis.task),
        "summary.csv": tables.summary_csv(analysis.variants, analysis.task),
        "verdict.json": _verdict(page, analysis),
    }
    files = {path: text.encode() for path, text in texts.items()}
    for name, one in drawn.items():
        files[f"figures/{name}.png"] = png(one.whole)
        files[f"figures/{name}.svg"] = one.whole.document().encode()
    return files


def _verdict(page: StudyPage, analysis: Analysis) -> str:
    """Return the answer as JSON, for programs and for the index of studies."""
    judgement = page.verdict.judgement
    document = {
        "title": analysis.gathered.title,
        "question": page.question,
        "headline": page.verdict.headline,
        "best": analysis.best.setting.by_key if analysis.best else None,
        "selection": page.verdict.selection,
        "points": page.verdict.points,
        "claim": page.claim.said if page.claim else None,
        "outcome": judgement.outcome if judgement else None,
        "because": judgement.because if judgement else None,
        "seeds": analysis.seeds,
        "runs": sum(len(variant.runs) for variant in analysis.variants),
        "data": page.provenance.data,
        "command": page.provenance.runs_command,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

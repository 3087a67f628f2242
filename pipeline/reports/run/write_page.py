"""Writes a run's page into the run, as often as it is asked to."""

from pipeline.reports.drawing.pages import render_page
from pipeline.reports.run.run_page import compose_page
from pipeline.reports.run.stored_run import read_stored
from pipeline.tracking import names
from pipeline.tracking.tracked_run import TrackedRun


def write_run_page(run: TrackedRun) -> None:
    """Compose the page from what a run has stored, and store it as the artifact `report.html`."""
    page = compose_page(read_stored(run.client, run.run_id))
    run.log_text(render_page("pipeline.reports.run", "run.html.j2", page=page), names.PAGE)

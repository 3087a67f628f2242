"""Prints a report's verdict."""

from pathlib import Path

from pipeline.cli.console import console, print_line, say
from pipeline.reports.study.study_page import StudyPage
from pipeline.tracking import names
from pipeline.tracking.links import artifact_link
from pipeline.tracking.store import Store


def show_report(
    page: StudyPage, store: Store, experiment_id: str, run_id: str, to: Path | None
) -> None:
    """Print the question, the answer, the warnings and the location of the page."""
    console.print()
    say(page.question, "bold")
    say(page.verdict.headline)
    if page.verdict.selection:
        say(page.verdict.selection)
    if page.claim is not None and (judgement := page.verdict.judgement) is not None:
        say(
            f"The report said: {page.claim.said}. Here: {judgement.outcome}, because "
            f"{judgement.because}"
        )
    for warning in page.warnings:
        say(warning, "yellow")
    page_link = artifact_link(store, experiment_id, run_id, f"{names.SWEEP_REPORT}/{names.PAGE}")
    print_line(f"  {page_link}")
    if to is not None:
        print_line(f"  {to / names.PAGE}")

"""A report's verdict, told in a few lines."""

from pathlib import Path

from pipeline.study.page import Page
from pipeline.study.writing import FOLDER
from pipeline.terminal.console import console
from pipeline.tracking.links import artifact_link
from pipeline.tracking.store import Store


def show_report(page: Page, store: Store, experiment_id: str, run_id: str, to: Path | None) -> None:
    """Question, answer, warnings, and where the page is."""
    console.print()
    console.print(page.question, style="bold", markup=False, soft_wrap=True)
    console.print(page.verdict.headline, markup=False, soft_wrap=True)
    if page.claim is not None and (judgement := page.verdict.judgement) is not None:
        console.print(
            f"The report said: {page.claim.said}. Here: {judgement.outcome}, because "
            f"{judgement.because}",
            markup=False,
            soft_wrap=True,
        )
    for warning in page.warnings:
        console.print(warning, style="yellow", markup=False, soft_wrap=True)
    page_link = artifact_link(store, experiment_id, run_id, f"{FOLDER}/report.html")
    console.print(f"  {page_link}", markup=False, soft_wrap=True)
    if to is not None:
        console.print(f"  {to / 'report.html'}", markup=False, soft_wrap=True)

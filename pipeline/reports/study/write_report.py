"""Writes the report of gathered runs and stores it with them."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import StoreError
from pipeline.reports.study.gathering import Gathered
from pipeline.reports.study.provenance import provenance
from pipeline.reports.study.reference import references
from pipeline.reports.study.rendering import draw, render
from pipeline.reports.study.setting_comparison import analyse, reported_measure
from pipeline.reports.study.study_page import StudyPage, compose_study_page
from pipeline.reports.study.varied import incompatibilities
from pipeline.reports.study.verdict_wording import conclude
from pipeline.settings import SettingsError
from pipeline.tracking import names
from pipeline.tracking.store import Store
from pipeline.tracking.sweep_run import sweep_run
from pipeline.tracking.tracked_run import TrackedRun


def write_report(
    store: Store, gathered: Gathered, data_dir: str, *, mixed: bool = False, to: Path | None = None
) -> tuple[StudyPage, str]:
    """Analyse runs, draw figures, and log the report to the sweep's own run.

    Args:
        data_dir: the data directory of this machine, for baselines of texts.
        mixed: continue even if the runs differ in data, code or fixed settings.

    Returns:
        The page, and the id of the run that the report was logged to.

    Raises:
        StoreError: when no run finished.
        SettingsError: when the runs differ in what should be the same.
    """
    finished = tuple(run for run in gathered.runs if run.finished)
    main = reported_measure(gathered)
    if all(main.of(run) is None for run in finished):
        raise StoreError(
            f"{gathered.title} has no finished run with a {main.title} in {store.uri}; "
            f"{_found(gathered)}."
        )
    differ = incompatibilities(finished, gathered.varied)
    if differ and not mixed:
        raise SettingsError([*differ, "mixed=true puts these runs into one report anyway."])
    analysis = analyse(gathered)
    baselines = references(store.client, analysis.variants, data_dir)
    verdict = conclude(analysis, baselines)
    made = provenance(store.client, gathered, finished)
    page = compose_study_page(analysis, verdict, baselines, made, differ)
    files = render(page, analysis, draw(analysis, baselines))
    if to is not None:
        _write(files, to)
    return page, _log(store, gathered, page, files)


def _found(gathered: Gathered) -> str:
    found = ", ".join(f"{run.name} {run.status}" for run in gathered.runs) or "none"
    return f"looked for its {len(gathered.planned or gathered.runs)} runs and found: {found}"


def _write(files: Mapping[str, bytes], folder: Path) -> None:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def _log(store: Store, gathered: Gathered, page: StudyPage, files: Mapping[str, bytes]) -> str:
    if gathered.own_run_id is not None:
        run = TrackedRun(store.client, gathered.own_run_id)
        _log_to(run, page, files)
        return run.run_id
    with sweep_run(store, gathered.experiment_id, gathered.key, gathered.title) as run:
        _log_to(run, page, files)
        return run.run_id


def _log_to(run: TrackedRun, page: StudyPage, files: Mapping[str, bytes]) -> None:
    with run.artifact_folder(names.SWEEP_REPORT) as folder:
        _write(files, folder)
    run.set_tags({names.DESCRIPTION: f"**{page.question}** {page.verdict.headline}"})

"""A sweep's own run, which stores its plan and its report."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from mlflow.entities import Run

from pipeline.settings.scores import SELECT_BY
from pipeline.tracking import names
from pipeline.tracking.environment import user, version_tags
from pipeline.tracking.membership import shortened
from pipeline.tracking.store import Store
from pipeline.tracking.tracked_run import TrackedRun, tracked_run

_LONGEST_NAME = 200


@contextmanager
def sweep_run(
    store: Store,
    experiment_id: str,
    sweep_id: str,
    title: str,
    tags: Mapping[str, Any] | None = None,
) -> Iterator[TrackedRun]:
    """Open or resume the run of a sweep for the duration of a block.

    Args:
        title: its overrides, which name the run.
    """
    own = {names.KIND: names.SWEEP, names.SWEEP_ID: sweep_id, names.USER: user()}
    merged = {**own, names.SOURCE_TYPE: "LOCAL", **version_tags(), **(tags or {})}
    earlier = find_sweep_runs(store, names.SWEEP_ID, sweep_id)
    resume = earlier[0].info.run_id if earlier else None
    name = shortened(f"sweep {title}", _LONGEST_NAME)
    with tracked_run(store, experiment_id, name, merged, resume=resume) as run:
        yield run


def log_plan(
    run: TrackedRun,
    command: str,
    varied: Sequence[str],
    jobs: Sequence[Mapping[str, str]],
    study: Mapping[str, Any] | None = None,
    select_by: str = SELECT_BY[0],
) -> None:
    """Store the plan of a sweep, so that a report can name what is missing.

    Args:
        varied: keys whose values differ between the jobs.
        study: question, words and claim of a study; a report reads them from here, so the study's
            file may be in any folder.
    """
    planned = {"command": command, "varied": [*varied], "jobs": [*jobs]}
    document = {**planned, "study": study, "select_by": select_by}
    run.log_json(document, names.PLAN)
    told = f"The run of a whole sweep of {len(jobs)} jobs, which keeps its plan and its report."
    run.set_tags({names.DESCRIPTION: f"{told} It was started by\n\n    {command}"})


def find_sweep_runs(store: Store, tag: str, value: str) -> list[Run]:
    """Return the sweeps' own runs that have this value of a tag, newest first."""
    # MLflow's search language has no escape for a quote, which the name of a study may contain.
    any_quote = value.replace("'", "_")
    same = f"= '{value}'" if value == any_quote else f"LIKE '{any_quote}'"
    query = f"tags.{names.KIND} = '{names.SWEEP}' AND tags.`{tag}` {same}"
    return [run for run in store.search_runs(None, query) if run.data.tags[tag] == value]

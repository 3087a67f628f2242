"""Queries for the runs of a sweep or an experiment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlflow.entities import Experiment, Run

from pipeline.settings.as_typed import logged_parameters
from pipeline.tracking import names
from pipeline.tracking.membership import name_of
from pipeline.tracking.ranking import Criterion
from pipeline.tracking.store import Store, unknown_experiment


@dataclass(frozen=True)
class RunResult:
    """One row of a results table; a field is None if the run did not get that far."""

    run_id: str
    name: str
    status: str
    metrics: Mapping[str, float]
    parity: str | None
    parity_reason: str
    degenerate: str
    error: str | None
    seconds: float | None
    identity: str | None = None


def sweep_results(
    store: Store,
    experiments: Sequence[Experiment],
    sweep_id: str,
    varied: Sequence[str],
    criterion: Criterion,
) -> list[RunResult]:
    """Return every run of a sweep, best first, runs without the score last.

    Args:
        varied: keys whose values distinguish its runs, whichever sweep trained them.
    """
    titles = {one.experiment_id: one.name for one in experiments}
    runs = store.search_runs(list(titles), members(sweep_id))
    results = [_result(run, varied, titles[run.info.experiment_id]) for run in runs]
    return criterion.best_first(results, lambda one: one.metrics.get(criterion.metric))


def members(sweep_id: str) -> str:
    """Return the MLflow filter for a sweep's runs, including those that it reused."""
    return f"tags.`{names.sweep_tag(sweep_id)}` LIKE '%'"


def job_runs(store: Store, experiment: str | None, query: str) -> list[Run]:
    """Return the runs of jobs that match an MLflow filter, newest first.

    Args:
        experiment: name of an experiment to search in; None searches all.

    Raises:
        StoreError: when the experiment does not exist.
        MlflowException: when the filter is invalid.
    """
    ids = None if experiment is None else [find_experiment(store, experiment).experiment_id]
    runs = store.search_runs(ids, query)
    return [run for run in runs if run.data.tags.get(names.KIND) != names.SWEEP]


def find_experiment(store: Store, name: str) -> Experiment:
    """Return the experiment of that name.

    Raises:
        StoreError: when there is none.
    """
    found = store.client.get_experiment_by_name(name)
    if found is None:
        known = [one.name for one in store.client.search_experiments()]
        raise unknown_experiment(store, name, known)
    return found


def _result(run: Run, varied: Sequence[str], experiment: str) -> RunResult:
    info, tags = run.info, run.data.tags
    # Only a fallback: the time from a run's start to its end includes interruptions.
    duration = (info.end_time - info.start_time) / 1000 if info.end_time else None
    values = {**logged_parameters(run.data.params), "experiment": experiment}
    return RunResult(
        run_id=info.run_id,
        name=name_of(values, varied) or info.run_name,
        status=info.status,
        metrics=run.data.metrics,
        parity=tags.get(names.PARITY),
        parity_reason=tags.get(names.PARITY_REASON, ""),
        degenerate=tags.get(names.DEGENERATE, "no"),
        error=tags.get(names.ERROR),
        seconds=run.data.metrics.get(names.SECONDS, duration),
        identity=tags.get(names.IDENTITY),
    )

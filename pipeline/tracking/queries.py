"""A sweep's runs, read back from the store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from pipeline.errors import StoreError
from pipeline.tracking import names
from pipeline.tracking.store import Store

_PAGE = 1000


@dataclass(frozen=True)
class Result:
    """What a closing table says of one run; None where the run did not get that far."""

    run_id: str
    name: str
    status: str
    f1_macro: float | None
    parity: str | None
    parity_reason: str
    degenerate: str
    error: str | None
    seconds: float | None


def sweep_results(store: Store, experiment_ids: Sequence[str], sweep_id: str) -> list[Result]:
    """Every run of a sweep, best test macro F1 first, runs without one last."""
    runs = search_runs(store, experiment_ids, members(sweep_id))
    return sorted(map(_result, runs), key=lambda one: -(one.f1_macro or 0.0))


def members(sweep_id: str) -> str:
    """The MLflow filter that finds a sweep's runs, those that it found done included."""
    return f"tags.`{names.sweep_tag(sweep_id)}` LIKE '%'"


def finished_runs(store: Store, run_id: str | None, experiment: str | None) -> list[Run]:
    """The run of that id, or all FINISHED runs of the experiment of that name.

    Raises:
        StoreError: when there is no such run, no such experiment, or nothing finished in it.
    """
    if run_id is not None:
        try:
            return [store.client.get_run(run_id)]
        except MlflowException as error:
            raise StoreError(f"run_id={run_id} is not a run in {store.uri}.") from error
    experiment_id = _experiment_id(store, experiment or "")
    finished = search_runs(store, [experiment_id], "attributes.status = 'FINISHED'")
    runs = [run for run in finished if run.data.tags.get(names.KIND) != names.SWEEP]
    if not runs:
        raise StoreError(f"experiment={experiment} in {store.uri} holds no finished run.")
    return runs


def listed_runs(store: Store, experiment: str | None, where: str | None) -> list[Run]:
    """Runs of jobs, best test macro F1 first.

    Args:
        store: where they are tracked.
        experiment: only those of the experiment of that name; None lists all.
        where: a condition in MLflow's search language.

    Raises:
        StoreError: when there is no such experiment.
        MlflowException: when the condition is not in that language.
    """
    if experiment is not None:
        experiments = [_experiment_id(store, experiment)]
    else:
        experiments = [one.experiment_id for one in store.client.search_experiments()]
    runs = search_runs(store, experiments, where or "")
    jobs = [run for run in runs if run.data.tags.get(names.KIND) != names.SWEEP]
    return sorted(jobs, key=lambda run: -run.data.metrics.get(names.TEST_F1_MACRO, 0.0))


def _experiment_id(store: Store, name: str) -> str:
    found = store.client.get_experiment_by_name(name)
    if found is None:
        known = ", ".join(one.name for one in store.client.search_experiments())
        raise StoreError(f"experiment={name} is not in {store.uri}; it holds {known}.")
    return str(found.experiment_id)


def search_runs(store: Store, experiment_ids: Sequence[str], query: str) -> Iterator[Run]:
    """Every run that matches an MLflow filter, the newest first, however many there are."""
    token = None
    while True:
        page = store.client.search_runs(
            list(experiment_ids), filter_string=query, max_results=_PAGE, page_token=token
        )
        yield from page
        token = page.token
        if not token:
            return


def _result(run: Run) -> Result:
    info, tags = run.info, run.data.tags
    # The time between a run's start and its end holds any interruption too.
    duration = (info.end_time - info.start_time) / 1000 if info.end_time else None
    return Result(
        run_id=info.run_id,
        name=info.run_name,
        status=info.status,
        f1_macro=run.data.metrics.get(names.TEST_F1_MACRO),
        parity=tags.get(names.PARITY),
        parity_reason=tags.get(names.PARITY_REASON, ""),
        degenerate=tags.get(names.DEGENERATE, "no"),
        error=tags.get(names.ERROR),
        seconds=run.data.metrics.get(names.SECONDS, duration),
    )

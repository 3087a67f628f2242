"""Resolves `run_id=`: an id, a prefix of one, `latest` or `best`; without MLflow."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from pipeline.errors import StoreError
from pipeline.settings.schema import RunChoice
from pipeline.tracking.ranking import criterion
from pipeline.tracking.run_listing import Asked, ListedRun, list_runs
from pipeline.tracking.store import Store

SHORT = 8  # digits of a displayed id
_SWEEP = re.compile(r"[\w.-]+")
_NAMED = 10  # maximum number of candidates in a message


def choose_run(store: Store, wanted: RunChoice, setting: str = "run_id") -> str:
    """Return the id of the selected run.

    Args:
        setting: the setting that gave the id, for errors.

    Raises:
        StoreError: when no run or several runs match.
    """
    wanted = _with_sweep(store, wanted)
    if wanted.run_id == "latest":
        return _latest(store, wanted)
    if wanted.run_id == "best":
        return _best(store, wanted)
    return _beginning_with(store, wanted, setting)


def choose_sweep(store: Store, asked: str) -> str:
    """Return the id of the sweep that `sweep=` names; `latest` is the last one started.

    Raises:
        StoreError: when there is no such sweep.
    """
    sweep = _last_sweep(store) if asked == "latest" else asked
    if sweep is None or not _SWEEP.fullmatch(sweep):
        raise StoreError(f"sweep={asked} is not the id of a sweep in {store.uri}, nor latest.")
    return sweep


def choose_runs(store: Store, wanted: RunChoice) -> list[str]:
    """Return the id of the selected run, or without one all FINISHED runs of a sweep or experiment.

    Raises:
        StoreError: when there are none, or several where one is selected.
    """
    if wanted.run_id is not None:
        return [choose_run(store, wanted)]
    wanted = _with_sweep(store, wanted)
    found = [run.run_id for run in _finished(store, wanted)]
    if not found:
        raise StoreError(f"{_within(wanted)} in {store.uri} holds no finished run.")
    return found


def _with_sweep(store: Store, wanted: RunChoice) -> RunChoice:
    sweep = choose_sweep(store, wanted.sweep) if wanted.sweep else None
    return wanted.model_copy(update={"sweep": sweep})


def _latest(store: Store, wanted: RunChoice) -> str:
    run = next(_finished(store, wanted), None)
    if run is None:
        where = f"{_within(wanted)} in {store.uri}" if _within(wanted) else store.uri
        raise StoreError(f"run_id=latest: {where} holds no finished run.")
    return run.run_id


def _best(store: Store, wanted: RunChoice) -> str:
    sweep = wanted.sweep
    if sweep is None and wanted.experiment is None:
        sweep = _last_sweep(store)
    among = wanted.model_copy(update={"sweep": sweep})
    finished = list(_finished(store, among))
    by = criterion(wanted.select_by, [run.task for run in finished])
    ranked = by.best_first(finished, lambda run: run.metrics.get(by.metric))
    if not ranked or by.metric not in ranked[0].metrics:
        raise StoreError(
            f"run_id=best: {_within(among) or 'the store'} in {store.uri} holds no finished run "
            f"with the score {by.metric}."
        )
    return ranked[0].run_id


def _last_sweep(store: Store) -> str | None:
    newest = next(list_runs(store, Asked()), None)
    return newest.trained_in if newest else None


def _beginning_with(store: Store, wanted: RunChoice, setting: str) -> str:
    given = f"{setting}={wanted.run_id}"
    within = Asked((wanted.run_id or "").lower(), wanted.sweep, wanted.experiment)
    found = list(islice(list_runs(store, within), _NAMED + 1))
    if not found:
        where = f"{_within(wanted)} in {store.uri}" if _within(wanted) else store.uri
        raise StoreError(f"{given} is not a run in {where}.")
    if len(found) > 1:
        raise StoreError(f"{given} is the beginning of {_named(found)}; add digits.")
    if found[0].is_sweep:
        raise StoreError(
            f"{given} is the run of a whole sweep and has no weights; choose one of "
            f"its runs, such as run_id=best sweep={found[0].trained_in}."
        )
    return found[0].run_id


def _named(runs: Sequence[ListedRun]) -> str:
    digits = max(SHORT, _digits_that_differ(runs))
    named = [f"{run.run_id[:digits]} ({run.name})" for run in runs[:_NAMED]]
    return f"{', '.join(named)}{' and more' if len(runs) > _NAMED else ''}"


def _digits_that_differ(runs: Sequence[ListedRun]) -> int:
    ids = [run.run_id for run in runs]
    return next(n for n in range(1, 33) if len({one[:n] for one in ids}) == len(ids))


def _finished(store: Store, wanted: RunChoice) -> Iterator[ListedRun]:
    for run in list_runs(store, Asked("", wanted.sweep, wanted.experiment)):
        if run.status == "FINISHED" and not run.is_sweep:
            yield run


def _within(wanted: RunChoice) -> str:
    given: Mapping[str, str | None] = {"sweep": wanted.sweep, "experiment": wanted.experiment}
    return " ".join(f"{key}={value}" for key, value in given.items() if value is not None)

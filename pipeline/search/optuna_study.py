"""Opens or resumes the Optuna study that stores a search's trials."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import optuna
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import StoreError, first_line
from pipeline.search.space import Dimension
from pipeline.settings.schema import Search
from pipeline.tracking.local_database import FOLDER, address, file_at

CONTINUES = "continues"  # trial attribute: the number of the interrupted trial that it continues
_DATABASE = "optuna.db"

optuna.logging.set_verbosity(optuna.logging.WARNING)
logging.getLogger("alembic").setLevel(logging.WARNING)


def storage_url(storage: str | None) -> str:
    """Return the URL of a search's database."""
    return storage or address(Path.cwd().resolve() / FOLDER / _DATABASE)


def shown(url: str) -> str:
    """Return a database URL without its password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return url


def find_study(url: str, name: str) -> optuna.Study | None:
    """Return the study of that name, or None; creates no file.

    Raises:
        StoreError: when the storage cannot be used.
    """
    try:
        file = _sqlite_file(url)
        if file is not None and not file.is_file():
            _expect_place(file)
            return None
        return optuna.load_study(study_name=name, storage=url)
    except KeyError:
        return None
    except _REFUSALS as error:
        raise _refused(url, error) from error


def open_study(url: str, name: str, search: Search) -> optuna.Study:
    """Return the study of that name, creating it if needed.

    Raises:
        StoreError: when the storage cannot be used.
    """
    assert search.direction != "auto"  # settled by the task of the runs
    try:
        if file := _sqlite_file(url):  # with runs on a server, nothing else creates its folder
            file.parent.mkdir(parents=True, exist_ok=True)
        return optuna.create_study(
            storage=url,
            study_name=name,
            direction=search.direction,
            sampler=RandomSampler(search.seed),  # each trial gets its own
            pruner=_pruner(search),
            load_if_exists=True,
        )
    except _REFUSALS as error:
        raise _refused(url, error) from error


def _sqlite_file(url: str) -> Path | None:
    parsed = make_url(url)
    return file_at(parsed.database or "") if parsed.drivername.startswith("sqlite") else None


def _expect_place(file: Path) -> None:
    """Refuse a database that could not be created later, after the first runs."""
    nearest = next(folder for folder in file.resolve().parents if folder.exists())
    if not nearest.is_dir():
        raise NotADirectoryError(f"{nearest} is not a folder")
    if not os.access(nearest, os.W_OK):
        raise PermissionError(f"{nearest} cannot be written to")


_REFUSALS = (
    SQLAlchemyError,
    optuna.exceptions.OptunaError,
    ImportError,
    OSError,
    RuntimeError,
    ValueError,
)


def _refused(url: str, error: Exception) -> StoreError:
    reason = first_line(error.__cause__ or error)
    return StoreError(f"hydra.sweeper.storage={shown(url)} cannot be used: {reason}")


def _pruner(search: Search) -> optuna.pruners.BasePruner:
    if search.pruner == "none":
        return optuna.pruners.NopPruner()
    return optuna.pruners.MedianPruner(search.pruner_startup, search.pruner_warmup)


def _sampler(search: Search, number: int) -> BaseSampler:
    """Return a sampler per trial, so that a resumed search draws the same values."""
    seed = int(np.random.SeedSequence([search.seed, number]).generate_state(1)[0])
    return RandomSampler(seed) if search.sampler == "random" else TPESampler(seed=seed)


def ask(study: optuna.Study, search: Search, space: Sequence[Dimension]) -> Trial:
    """Return the next trial: one that waits in the storage, or a new one."""
    trials = study.get_trials(deepcopy=False)
    study.sampler = _sampler(search, sum(CONTINUES not in one.user_attrs for one in trials))
    return study.ask({one.key: one.distribution for one in space})


def ask_again_for_interrupted(study: optuna.Study) -> None:
    """Queue interrupted trials, whose process has died, again with the same values.

    Optuna cannot resume a trial: the old one is marked as failed, and a new one records which
    trial it continues. If the process is killed between two steps, the next call completes them.
    """
    trials = study.get_trials(deepcopy=False)
    continued = _continued(trials)
    for trial in trials:
        if trial.state is TrialState.RUNNING:
            if trial.number not in continued:
                study.enqueue_trial(trial.params, user_attrs={CONTINUES: trial.number})
            study.tell(trial.number, state=TrialState.FAIL)


def finished_trials(study: optuna.Study) -> list[FrozenTrial]:
    """Return every finished trial, except those that another one continues."""
    trials = study.get_trials(deepcopy=False)
    continued = _continued(trials)
    return [one for one in trials if one.state.is_finished() and one.number not in continued]


def _continued(trials: Sequence[FrozenTrial]) -> set[int]:
    return {one.user_attrs[CONTINUES] for one in trials if CONTINUES in one.user_attrs}

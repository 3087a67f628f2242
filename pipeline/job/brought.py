"""The files that a user brings to a fit beside model and data, which are part of its identity."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.functions.lookup import FunctionError, is_own, own_function
from pipeline.job.function_sources import sources_of
from pipeline.job.identity import source_digest
from pipeline.settings import Settings, SettingsError
from pipeline.settings.model_function import KERAS_FILE
from pipeline.settings.schema import RunChoice, is_weights_file
from pipeline.tracking.artifacts import digest
from pipeline.tracking.run_choice import choose_run
from pipeline.tracking.store import locate_store
from pipeline.tracking.weights import weights_folder
from scratch_forward.classifier import MODEL_FILE


def fit_sources(settings: Settings) -> dict[str, Path]:
    """Return the source files of the loss, metrics and callbacks that are functions of the user."""
    files: dict[str, Path] = {}
    for key, name in settings.training.functions:
        if is_own(name):
            _, module = own_function(key, name)
            files |= sources_of(module.__name__, Path(str(module.__file__)))
    return dict(sorted(files.items()))


def brought(settings: Settings) -> dict[str, str]:
    """Return a digest of each file that decides a fit, by its path.

    Raises:
        SettingsError: when a function does not exist.
        StoreError: see `initial_weights`.
    """
    try:
        found = {place: source_digest(file) for place, file in fit_sources(settings).items()}
    except FunctionError as error:
        raise SettingsError([str(error)]) from error
    with initial_weights(settings) as file:
        if file is not None:
            found["initial_weights"] = digest(file)
    if settings.model_name == KERAS_FILE:
        found["model.path"] = digest(Path(settings.model.model_dump()["path"]))
    return found


@contextmanager
def initial_weights(settings: Settings) -> Iterator[Path | None]:
    """Yield the file with the weights that a fit starts from; None if they are drawn.

    Raises:
        StoreError: when there is no such run, or its weights are missing or damaged.
    """
    given = settings.training.initial_weights
    if given is None:
        yield None
    elif is_weights_file(given):
        yield Path(given)
    else:
        store = locate_store(**settings.tracking.model_dump())
        chosen = RunChoice(run_id=given, sweep=None, experiment=None, select_by="auto")
        run_id = choose_run(store, chosen, "initial_weights")
        with weights_folder(run_id, store) as folder:
            yield folder / MODEL_FILE

"""The files that a user brings to a fit beside model and data, which are part of its identity."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.functions.lookup import FunctionError, is_own, own_function
from pipeline.job.function_sources import sources_of
from pipeline.job.identity import source_digest
from pipeline.settings import Settings, SettingsError


def fit_sources(settings: Settings) -> dict[str, Path]:
    """Return the source files of the loss, metrics and callbacks that are functions of the user."""
    files: dict[str, Path] = {}
    for key, name in _functions(settings):
        _, module = own_function(key, name)
        files |= sources_of(module.__name__, Path(str(module.__file__)))
    return dict(sorted(files.items()))


def brought(settings: Settings) -> dict[str, str]:
    """Return a digest of each file that decides a fit, by its path.

    Raises:
        SettingsError: when a function does not exist.
    """
    try:
        return {place: source_digest(file) for place, file in fit_sources(settings).items()}
    except FunctionError as error:
        raise SettingsError([str(error)]) from error


def _functions(settings: Settings) -> Iterator[tuple[str, str]]:
    training = settings.training
    named = [
        ("loss", training.loss),
        *(("metrics", name) for name in training.metrics),
        *(("callbacks", name) for name in training.callbacks),
    ]
    return ((key, name) for key, name in named if name is not None and is_own(name))

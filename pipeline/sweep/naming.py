"""Names of runs and sweeps."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from pipeline.settings.schema import Place, Running
from pipeline.tracking.membership import name_of

_HOW = {*Running.model_fields, "resources"}
_HOW_AND_WHERE = {*_HOW, *Place.model_fields, "tracking"}


def set_by_hand(overrides: Iterable[str]) -> list[tuple[str, str]]:
    """Return key and value of each override, without Hydra's plus signs.

    >>> set_by_hand(["model=lstm", "++units=64"])
    [('model', 'lstm'), ('units', '64')]
    """
    parts = (line.lstrip("+").partition("=") for line in overrides)
    return [(key, value) for key, _, value in parts]


def says_what(key: str) -> bool:
    """Return whether a key decides what is trained, not how and where."""
    return key.split(".")[0] not in _HOW_AND_WHERE


def without_running(overrides: Sequence[str]) -> list[str]:
    """Return the overrides that decide what is trained, without those of the sweep itself.

    >>> without_running(["units=64", "workers=2"])
    ['units=64']
    """
    pairs = zip(overrides, set_by_hand(overrides), strict=True)
    return [line for line, (key, _) in pairs if key.split(".")[0] not in _HOW]


def naming_keys(overrides: Iterable[str], varied: Sequence[str]) -> list[str]:
    """Return the keys that name a run: the varied ones of a sweep, else all overrides.

    >>> naming_keys(["model=lstm", "units=64", "workers=2"], [])
    ['model', 'units']
    """
    by_hand = dict.fromkeys(key for key, _ in set_by_hand(overrides) if says_what(key))
    return list(varied) or list(by_hand) or ["model"]


def run_name(overrides: Sequence[str], varied: Sequence[str], parameters: Mapping[str, str]) -> str:
    """Name a run by the values of its naming keys.

    >>> run_name(["model=lstm", "units=64"], ["units"], {"model": "lstm", "units": "64"})
    'units=64'
    >>> run_name(["model=lstm", "units=64"], [], {"model": "lstm", "units": "64"})
    'model=lstm units=64'
    >>> run_name(["+experiment=large"], ["units"], {"model": "lstm", "units": "64"})
    'units=64'
    """
    values = {**parameters, **dict(set_by_hand(overrides))}
    return name_of(values, naming_keys(overrides, varied))


def sweep_title(jobs: Iterable[Sequence[str]], model: str) -> str:
    """Name a sweep by its overrides: each key once, with its values in the given order.

    >>> sweep_title([["model=lstm", "units=32"], ["model=lstm", "units=64"]], "lstm")
    'model=lstm units=32,64'

    Args:
        model: the model of the first job, which names a sweep without overrides.
    """
    values: dict[str, dict[str, None]] = {}
    for key, value in (pair for overrides in jobs for pair in set_by_hand(overrides)):
        if says_what(key):
            values.setdefault(key, {})[value] = None
    return " ".join(f"{key}={','.join(given)}" for key, given in values.items()) or f"model={model}"


def sweep_name(identities: Iterable[str], places: Iterable[str]) -> str:
    """Return the id of a sweep; the same jobs in the same place always have the same id.

    >>> sweep_name(["b", "a"], ["reviews"]) == sweep_name(["a", "b"], ["reviews"])
    True

    Args:
        places: what else distinguishes sweeps of the same jobs: experiments, a study.

    Returns:
        Ten hexadecimal digits.
    """
    told = "\n".join([*sorted(identities), *sorted(places)])
    return hashlib.sha256(told.encode()).hexdigest()[:10]

"""Names that tell runs and sweeps apart at a glance."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from pipeline.settings.schema import Place, Running

_HOW_AND_WHERE = {*Running.model_fields, *Place.model_fields, "tracking"}


def run_name(
    overrides: Sequence[str], varied: Sequence[str], parameters: Mapping[str, object]
) -> str:
    """Name a run by what differs: the varied keys in a sweep, else all that was set by hand.

    >>> run_name(["model=lstm", "units=64"], ["units"], {"model": "lstm", "units": 64})
    'units=64'
    >>> run_name(["model=lstm", "units=64"], [], {"model": "lstm", "units": 64})
    'model=lstm units=64'
    >>> run_name(["+experiment=large"], ["units"], {"model": "lstm", "units": 64})
    'units=64'
    """
    typed = {line.split("=")[0]: line for line in overrides}
    if not varied:
        telling = [typed[key] for key in telling_keys(overrides)]
        return " ".join(telling) or f"model={parameters['model']}"
    varies = [key for key in varied if key in typed or key in parameters]
    return " ".join(typed.get(key, f"{key}={parameters.get(key)}") for key in varies)


def telling_keys(overrides: Iterable[str]) -> list[str]:
    """The keys that say what is run, those left out that say how and where.

    >>> telling_keys(["units=64", "workers=2", "tracking.uri=http://127.0.0.1:5000"])
    ['units']
    """
    keys = dict.fromkeys(line.split("=")[0] for line in overrides)
    return [key for key in keys if key.split(".")[0] not in _HOW_AND_WHERE]


def sweep_name(identities: Iterable[str], places: Iterable[str]) -> str:
    """The id of a sweep: the same jobs in the same place are the same sweep, whenever they run.

    >>> sweep_name(["b", "a"], ["reviews"]) == sweep_name(["a", "b"], ["reviews"])
    True

    Args:
        identities: of its jobs.
        places: what else tells sweeps of the same jobs apart: experiments, a study.

    Returns:
        Ten hexadecimal digits.
    """
    told = "\n".join([*sorted(identities), *sorted(places)])
    return hashlib.sha256(told.encode()).hexdigest()[:10]

"""The sweeps that a run belongs to, and a name that is unique in each of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pipeline.settings.as_typed import logged_parameters
from pipeline.tracking import names
from pipeline.tracking.store import Store

if TYPE_CHECKING:
    from mlflow.entities import Run

_SWEEP_TAG = names.sweep_tag("")
_SEPARATOR = ","


def name_of(values: Mapping[str, str], keys: Iterable[str]) -> str:
    """Return a run's name, made of the values of the keys that distinguish it.

    >>> name_of({"model": "lstm", "units": "64", "seed": "1"}, ["units", "seed"])
    'units=64 seed=1'
    """
    return " ".join(f"{key}={values[key]}" for key in keys if key in values)


def shortened(name: str, longest: int) -> str:
    """Shorten a name to at most `longest` characters; an ellipsis marks the cut."""
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def membership(sweep_id: str, keys: Sequence[str]) -> dict[str, str]:
    """Return the tag that assigns a run to a sweep; its value is the sweep's varied keys."""
    return {names.sweep_tag(sweep_id): _SEPARATOR.join(keys)}


def join_sweep(store: Store, run_id: str, sweep_id: str, keys: Sequence[str]) -> None:
    """Add a finished run to another sweep, under a name that is unique in all of its sweeps.

    Args:
        sweep_id: id of the sweep that uses it.
        keys: keys whose values distinguish the sweep's runs.
    """
    run = store.client.get_run(run_id)
    for tag, value in membership(sweep_id, keys).items():
        store.client.set_tag(run_id, tag, value)
    values = logged_parameters(run.data.params)
    earlier = _keys_of_sweeps(run)
    if all(key in values for key in earlier):  # earlier versions did not store the keys
        name = name_of(values, dict.fromkeys([*keys, *earlier]))
        store.client.update_run(run_id, name=name or run.info.run_name)


def _keys_of_sweeps(run: "Run") -> list[str]:
    kept = [value for tag, value in run.data.tags.items() if tag.startswith(_SWEEP_TAG)]
    return [key for value in kept for key in value.split(_SEPARATOR) if key]

"""The sweeps that a run belongs to, and a name that tells it from the others in each of them."""

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
    """A run's name by the values of the keys that tell it apart.

    >>> name_of({"model": "lstm", "units": "64", "seed": "1"}, ["units", "seed"])
    'units=64 seed=1'
    """
    return " ".join(f"{key}={values[key]}" for key in keys if key in values)


def shortened(name: str, longest: int) -> str:
    """A name of at most so many characters; dots end one that was cut."""
    return name if len(name) <= longest else f"{name[: longest - 3]}..."


def membership(sweep_id: str, keys: Sequence[str]) -> dict[str, str]:
    """The tag that makes a run one of a sweep's; it holds the keys that tell the sweep's apart."""
    return {names.sweep_tag(sweep_id): _SEPARATOR.join(keys)}


def join_sweep(store: Store, run_id: str, sweep_id: str, keys: Sequence[str]) -> None:
    """Make a finished run one of a further sweep, under a name that tells it apart in all of them.

    Args:
        store: where it is tracked.
        run_id: the run's.
        sweep_id: of the sweep that uses it.
        keys: whose values tell the sweep's runs apart.
    """
    run = store.client.get_run(run_id)
    for tag, value in membership(sweep_id, keys).items():
        store.client.set_tag(run_id, tag, value)
    values = logged_parameters(run.data.params)
    earlier = _keys_of_sweeps(run)
    if all(key in values for key in earlier):  # earlier versions did not keep the keys
        name = name_of(values, dict.fromkeys([*keys, *earlier]))
        store.client.update_run(run_id, name=name or run.info.run_name)


def _keys_of_sweeps(run: "Run") -> list[str]:
    kept = [value for tag, value in run.data.tags.items() if tag.startswith(_SWEEP_TAG)]
    return [key for value in kept for key in value.split(_SEPARATOR) if key]

"""Which parameters differ between runs, and which of those only follow from others."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

_GROUPS = ("model", "optimizer", "dataset")  # choosing another one changes further parameters
_DATA = ("dataset", "padding", "train_size")  # what changes the arrays that are trained on


class HasParams(Protocol):
    """A run, as far as its parameters go."""

    @property
    def params(self) -> Mapping[str, str]:
        """By name, as logged."""


def is_data_key(key: str) -> bool:
    """Whether runs that differ in this parameter have other data by intention."""
    return key in _DATA or key.startswith("dataset.")


def differing_keys(runs: Sequence[HasParams]) -> tuple[str, ...]:
    """Parameters to compare by: those that differ, but for the seed and the data set."""
    keys = told_apart_by(runs)
    return tuple(key for key in keys if key != "seed" and key.split(".")[0] != "dataset")


def told_apart_by(runs: Sequence[HasParams]) -> tuple[str, ...]:
    """Parameters that differ, without those that only follow from another choice."""
    keys = dict.fromkeys(key for run in runs for key in run.params)
    differing = [key for key in keys if len(values_of(runs, key)) > 1]
    groups = [key for key in _GROUPS if key in differing]
    return tuple(key for key in differing if key in groups or not follows(runs, key, groups))


def values_of(runs: Iterable[HasParams], key: str) -> list[str | None]:
    """The different values of a parameter, in order of appearance."""
    return list(dict.fromkeys(run.params.get(key) for run in runs))


def follows(runs: Sequence[HasParams], key: str, varied: Iterable[str]) -> bool:
    """Whether a parameter differs only because another model, optimizer or data set was chosen."""
    groups = [group for group in _GROUPS if group in varied]
    by_choice: dict[tuple[str | None, ...], set[str | None]] = {}
    for run in runs:
        choice = tuple(run.params.get(group) for group in groups)
        by_choice.setdefault(choice, set()).add(run.params.get(key))
    return all(len(values) == 1 for values in by_choice.values())

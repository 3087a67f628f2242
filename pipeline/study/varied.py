"""Which parameters differ between runs, and which of those only follow from others."""

from collections.abc import Iterable, Sequence

from pipeline.study.runs import StudyRun

_GROUPS = ("model", "optimizer", "dataset")  # choosing another one changes further parameters
_DATA = ("dataset", "padding", "train_size")  # what changes the arrays that are trained on


def is_data_key(key: str) -> bool:
    """Whether runs that differ in this parameter have other data by intention."""
    return key in _DATA or key.startswith("dataset.")


def differing_keys(runs: Sequence[StudyRun]) -> tuple[str, ...]:
    """Parameters to compare by: those that differ, but for the seed and the data set."""
    keys = dict.fromkeys(key for run in runs for key in run.params)
    candidates = [key for key in keys if key != "seed" and key.split(".")[0] != "dataset"]
    differing = [key for key in candidates if len(values_of(runs, key)) > 1]
    groups = [key for key in _GROUPS if key in differing]
    return tuple(key for key in differing if key in groups or not follows(runs, key, groups))


def values_of(runs: Iterable[StudyRun], key: str) -> list[str | None]:
    """The different values of a parameter, in order of appearance."""
    return list(dict.fromkeys(run.params.get(key) for run in runs))


def follows(runs: Sequence[StudyRun], key: str, varied: Iterable[str]) -> bool:
    """Whether a parameter differs only because another model, optimizer or data set was chosen."""
    groups = [group for group in _GROUPS if group in varied]
    by_choice: dict[tuple[str | None, ...], set[str | None]] = {}
    for run in runs:
        choice = tuple(run.params.get(group) for group in groups)
        by_choice.setdefault(choice, set()).add(run.params.get(key))
    return all(len(values) == 1 for values in by_choice.values())

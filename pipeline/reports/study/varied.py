"""Differences between runs: parameters to compare by, and what should be the same."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from pipeline.reports.study.study_run import StudyRun
from pipeline.settings.as_typed import label
from pipeline.tracking import names
from pipeline.tracking.fingerprints import stored_fingerprint

_GROUPS = (
    "model",
    "optimizer",
    "schedule",
    "dataset",
)  # choosing another option changes further parameters
_DATA = ("dataset", "padding", "train_size")  # prefixes of keys that change the training arrays


Value = TypeVar("Value")


class HasParams(Protocol):
    """An object with a run's parameters."""

    @property
    def params(self) -> Mapping[str, str]:
        """Parameters by name, as logged."""


def is_data_key(key: str) -> bool:
    """Return whether runs that differ in this parameter have different data on purpose."""
    return key in _DATA or key.startswith("dataset.")


def differing_keys(runs: Sequence[HasParams]) -> tuple[str, ...]:
    """Return the parameters to compare by: those that differ, except seed and data set."""
    keys = told_apart_by(runs)
    return tuple(key for key in keys if key != "seed" and key.split(".")[0] != "dataset")


def told_apart_by(runs: Sequence[HasParams]) -> tuple[str, ...]:
    """Return the parameters that differ, except those that follow from another choice."""
    keys = dict.fromkeys(key for run in runs for key in run.params)
    differing = [key for key in keys if len(values_of(runs, key)) > 1]
    groups = [key for key in _GROUPS if key in differing]
    return tuple(key for key in differing if key in groups or not follows(runs, key, groups))


def values_of(runs: Iterable[HasParams], key: str) -> list[str | None]:
    """Return the distinct values of a parameter, in order of appearance."""
    return list(dict.fromkeys(run.params.get(key) for run in runs))


def follows(runs: Sequence[HasParams], key: str, varied: Iterable[str]) -> bool:
    """Return whether a parameter differs only because of the choice of another group."""
    groups = [group for group in _GROUPS if group in varied]
    by_choice: dict[tuple[str | None, ...], set[str | None]] = {}
    for run in runs:
        choice = tuple(run.params.get(group) for group in groups)
        by_choice.setdefault(choice, set()).add(run.params.get(key))
    return all(len(values) == 1 for values in by_choice.values())


def incompatibilities(runs: Sequence[StudyRun], varied: Sequence[str]) -> list[str]:
    """Return one sentence per property that should be the same in all finished runs but differs."""
    return [*_settings(runs, varied), *_data(runs, varied), *_code(runs)]


def _settings(runs: Sequence[StudyRun], varied: Sequence[str]) -> list[str]:
    keys = dict.fromkeys(key for run in runs for key in run.params)
    fixed = [key for key in keys if key != "seed" and key not in varied]
    return [
        _sentence(f"`{key}`", runs, _parameter(key))
        for key in fixed
        if len(values_of(runs, key)) > 1 and not follows(runs, key, varied)
    ]


def _parameter(key: str) -> Callable[[StudyRun], str]:
    return lambda run: label(run.params.get(key))


def _data(runs: Sequence[StudyRun], varied: Sequence[str]) -> list[str]:
    """Check that runs whose settings ask for the same data were trained on the same arrays."""
    asked = [key for key in varied if is_data_key(key)]
    faults: list[str] = []
    for alike in _grouped(runs, lambda run: tuple(run.params.get(key) for key in asked)).values():
        for split in names.SPLITS:
            faults += _differing(f"the {split} data (fingerprint)", alike, _fingerprint(split))
    return faults


def _fingerprint(split: str) -> Callable[[StudyRun], str]:
    return lambda run: (stored_fingerprint(run.tags, split) or "not recorded")[:12]


def code_version(run: StudyRun) -> str:
    """Return the commit, and whether files differed from it."""
    commit = run.tags.get(names.GIT_COMMIT, "")[:10] or "not recorded"
    return f"{commit} with changes" if run.tags.get(names.GIT_DIRTY) == "True" else commit


def _code(runs: Sequence[StudyRun]) -> list[str]:
    """Check that the runs were trained by the same code, which several commits may have in common.

    Runs of earlier versions only have the commit.
    """
    if not all(names.CODE_VERSIONS in run.tags for run in runs):
        return _differing("the code (git commit)", runs, code_version)
    faults = _differing("the code of the training (hash)", runs, _hash_of("training"))
    for model, alike in _grouped(runs, lambda run: run.params.get("model")).items():
        faults += _differing(f"the code of model={model} (hash)", alike, _hash_of("model"))
    return faults


def _hash_of(part: str) -> Callable[[StudyRun], str]:
    def hashed(run: StudyRun) -> str:
        digest: str = json.loads(run.tags[names.CODE_VERSIONS])[part]
        return digest

    return hashed


def _grouped(
    runs: Sequence[StudyRun], of: Callable[[StudyRun], Value]
) -> dict[Value, list[StudyRun]]:
    groups: dict[Value, list[StudyRun]] = {}
    for run in runs:
        groups.setdefault(of(run), []).append(run)
    return groups


def _differing(what: str, runs: Sequence[StudyRun], of: Callable[[StudyRun], str]) -> list[str]:
    return [_sentence(what, runs, of)] if len({of(run) for run in runs}) > 1 else []


def _sentence(what: str, runs: Sequence[StudyRun], of: Callable[[StudyRun], str]) -> str:
    values = "; ".join(
        f"{value} in {len(alike)} run{'s' if len(alike) > 1 else ''} (such as {alike[0].name})"
        for value, alike in _grouped(runs, of).items()
    )
    return f"{what} differs: {values}."

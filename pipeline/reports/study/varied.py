"""Differences between runs: parameters to compare by, and what should be the same."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from pipeline.reports.study.study_run import StudyRun
from pipeline.settings.as_typed import label
from pipeline.tracking import names
from pipeline.tracking.fingerprints import stored_fingerprint

GROUPS = ("model", "optimizer", "schedule", "dataset")  # each choice brings further parameters
_DATA = ("dataset", "padding", "train_size")  # keys that change the data, as `dataset.` does

Run = TypeVar("Run")
Value = TypeVar("Value")
Params = Mapping[str, str]  # a run's parameters by name


def differing_keys(runs: Sequence[Params]) -> tuple[str, ...]:
    """Return the parameters to compare by: those that differ, except seed and data set."""
    keys = told_apart_by(runs)
    return tuple(key for key in keys if key != "seed" and key.split(".")[0] != "dataset")


def told_apart_by(runs: Sequence[Params]) -> tuple[str, ...]:
    """Return the parameters that differ, except those that follow from another choice."""
    differing = _differing_in(runs)
    groups = [key for key in GROUPS if key in differing]
    return tuple(key for key in differing if key in groups or not follows(runs, key, groups))


def _differing_in(runs: Sequence[Params]) -> list[str]:
    keys = dict.fromkeys(key for run in runs for key in run)
    return [key for key in keys if len({run.get(key) for run in runs}) > 1]


def follows(runs: Sequence[Params], key: str, varied: Iterable[str]) -> bool:
    """Return whether a parameter differs only because of the choice of another group."""
    groups = [group for group in GROUPS if group in varied]
    by_choice = _grouped(runs, lambda run: tuple(run.get(group) for group in groups))
    return all(len({run.get(key) for run in alike}) == 1 for alike in by_choice.values())


def incompatibilities(runs: Sequence[StudyRun], varied: Sequence[str]) -> list[str]:
    """Return one sentence per property that should be the same in all finished runs but differs."""
    return [*_settings(runs, varied), *_data(runs, varied), *_code(runs)]


def _settings(runs: Sequence[StudyRun], varied: Sequence[str]) -> list[str]:
    params = [run.params for run in runs]
    return [
        _sentence(f"`{key}`", runs, _parameter(key))
        for key in _differing_in(params)
        if key != "seed" and key not in varied and not follows(params, key, varied)
    ]


def _parameter(key: str) -> Callable[[StudyRun], str]:
    return lambda run: label(run.params.get(key))


def _data(runs: Sequence[StudyRun], varied: Sequence[str]) -> list[str]:
    """Check that runs whose settings ask for the same data were trained on the same arrays."""
    asked = [key for key in varied if key in _DATA or key.startswith("dataset.")]
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
    return lambda run: str(json.loads(run.tags[names.CODE_VERSIONS])[part])


def _grouped(runs: Sequence[Run], of: Callable[[Run], Value]) -> dict[Value, list[Run]]:
    groups: dict[Value, list[Run]] = {}
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

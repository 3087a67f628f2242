"""Refuses to put runs into one report that were not made from the same data, code and settings."""

from collections.abc import Callable, Sequence

from pipeline.reports.study.study_run import StudyRun
from pipeline.reports.study.varied import follows, is_data_key, values_of
from pipeline.settings.as_typed import label
from pipeline.tracking import names

_SPLITS = ("train", "validation", "test")


def differences(runs: Sequence[StudyRun], varied: Sequence[str]) -> list[str]:
    """One sentence for each thing that should be the same in all finished runs and is not.

    Args:
        runs: finished ones.
        varied: keys whose values are compared, and so may differ.
    """
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
    """Runs whose settings ask for the same data must have been given the same arrays."""
    asked = [key for key in varied if is_data_key(key)]
    by_request: dict[tuple[str | None, ...], list[StudyRun]] = {}
    for run in runs:
        by_request.setdefault(tuple(run.params.get(key) for key in asked), []).append(run)
    return [
        _sentence(f"the {split} data (fingerprint)", alike, _fingerprint(split))
        for alike in by_request.values()
        for split in _SPLITS
        if len({_fingerprint(split)(run) for run in alike}) > 1
    ]


def _fingerprint(split: str) -> Callable[[StudyRun], str]:
    return lambda run: run.tags.get(names.fingerprint(split), "not recorded")[:12]


def code_version(run: StudyRun) -> str:
    """Commit, and whether files differed from it."""
    commit = run.tags.get(names.GIT_COMMIT, "")[:10] or "not recorded"
    return f"{commit} with changes" if run.tags.get(names.GIT_DIRTY) == "True" else commit


def _code(runs: Sequence[StudyRun]) -> list[str]:
    if len({code_version(run) for run in runs}) < 2:
        return []
    return [_sentence("the code (git commit)", runs, code_version)]


def _sentence(what: str, runs: Sequence[StudyRun], of: Callable[[StudyRun], str]) -> str:
    counts: dict[str, list[StudyRun]] = {}
    for run in runs:
        counts.setdefault(of(run), []).append(run)
    told = "; ".join(
        f"{value} in {len(alike)} run{'s' if len(alike) > 1 else ''} (such as {alike[0].name})"
        for value, alike in counts.items()
    )
    return f"{what} differs: {told}."

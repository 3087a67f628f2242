"""Baselines of a study: the majority class, and for texts TF-IDF on the same data."""

from collections.abc import Sequence
from dataclasses import dataclass

from mlflow import MlflowClient

from pipeline.data import Dataset, DatasetError, load
from pipeline.data.catalogue import SPECS, spec_of
from pipeline.data.user.location import found_again
from pipeline.functions.lookup import is_own
from pipeline.reports.study.reading import read_config
from pipeline.reports.study.study_run import Measure, StudyRun
from pipeline.reports.study.variants import Setting, Variant
from pipeline.settings import SettingsError, parse_stored
from pipeline.tasks import task_named
from pipeline.tasks.baselines import Baseline, tfidf_logistic_regression
from pipeline.tracking import names
from pipeline.tracking.fingerprints import DIGITS, stored_fingerprint


@dataclass(frozen=True)
class References:
    """Baselines of each variant, on its training and test data."""

    # per setting, the baseline that predicts the same for every example
    majority: dict[Setting, Baseline]
    tfidf: dict[Setting, Baseline]  # baseline per setting; empty except for classes of texts
    remarks: tuple[str, ...] = ()  # one sentence for each baseline that is not available


def baseline_scores(baselines: References, measure: Measure) -> dict[str, dict[Setting, float]]:
    """Return a measure of each kind of baseline by name and setting, where they have it."""
    kinds = {"TF-IDF": baselines.tfidf}
    if baselines.majority:
        kinds = {next(iter(baselines.majority.values())).name: baselines.majority, **kinds}
    found = {
        name: {
            setting: one.scores[measure.score]
            for setting, one in kind.items()
            if measure.score in one.scores
        }
        for name, kind in kinds.items()
    }
    return {name: scores for name, scores in found.items() if scores}


def references(client: MlflowClient, variants: Sequence[Variant], data_dir: str) -> References:
    """Return the baselines of all variants; data are read only for texts."""
    majority, tfidf, remarks = {}, {}, []
    known: dict[tuple[str | None, ...], Baseline | str | None] = {}
    for variant in variants:
        run = variant.runs[0]
        if (found := majority_class(run)) is not None:
            majority[variant.setting] = found
        data = tuple(stored_fingerprint(run.tags, split) for split in names.SPLITS)
        if data not in known:
            known[data] = _tfidf(client, run, data_dir)
        counted = known[data]
        if isinstance(counted, Baseline):
            tfidf[variant.setting] = counted
        elif counted is not None:
            remarks.append(f"TF-IDF for {variant.setting.words}: {counted}")
    if len(majority) < len(variants):
        title = task_named(variants[0].runs[0].task).baseline_title
        remarks.append(
            f"The {title} is left out for {len(variants) - len(majority)} of "
            f"{len(variants)} settings: an earlier version did not log its scores."
        )
    return References(majority, tfidf, tuple(remarks))


def majority_class(run: StudyRun) -> Baseline | None:
    """Return the constant baseline that a run logged; None if one of its scores is missing."""
    task = task_named(run.task)
    logged = {
        name: run.metrics.get(names.baseline(task.baseline_kind, name)) for name in task.tiles
    }
    scores = {name: value for name, value in logged.items() if value is not None}
    return Baseline(task.baseline_title, scores) if len(scores) == len(logged) else None


def _tfidf(client: MlflowClient, run: StudyRun, data_dir: str) -> Baseline | str | None:
    """Return the baseline, a sentence on why there is none, or None for images."""
    name = run.params.get("dataset", "")
    if run.task not in ("multiclass", "binary"):
        return None
    if not (name in SPECS or is_own(name)) or spec_of(name).kind not in ("text", None):
        return None
    try:
        settings = parse_stored(read_config(client, run.run_id))
        data = load(**found_again({**settings.data, "data_dir": data_dir}))
    except (DatasetError, SettingsError, KeyError) as error:
        return f"the data cannot be read: {error}"
    if (changed := _changed(data, run)) is not None:
        return f"the {changed} data are no longer those that the runs used."
    if data.kind != "text":
        return None
    return tfidf_logistic_regression(data.train, data.validation, data.test)


def _changed(data: Dataset, run: StudyRun) -> str | None:
    now = data.fingerprints
    changed = (
        name for name in names.SPLITS if now[name][:DIGITS] != stored_fingerprint(run.tags, name)
    )
    return next(changed, None)

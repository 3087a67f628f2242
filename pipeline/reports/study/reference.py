"""Baselines of a study: the majority class, and for texts TF-IDF on the same data."""

from collections.abc import Sequence
from dataclasses import dataclass

from mlflow import MlflowClient

from pipeline.data import Dataset, DatasetError, load
from pipeline.data.catalogue import SPECS
from pipeline.data.user.location import found_again
from pipeline.reports.study.reading import read_config
from pipeline.reports.study.study_run import StudyRun
from pipeline.reports.study.variants import Setting, Variant
from pipeline.settings import SettingsError, parse_stored
from pipeline.tasks.baselines import Baseline, tfidf_logistic_regression
from pipeline.tracking import names
from pipeline.tracking.fingerprints import DIGITS, stored_fingerprint


@dataclass(frozen=True)
class References:
    """Baselines of each variant, on its training and test data.

    Attributes:
        majority: baseline per setting.
        tfidf: baseline per setting; empty for images.
        remarks: one sentence for each baseline that is not available.
    """

    majority: dict[Setting, Baseline]
    tfidf: dict[Setting, Baseline]
    remarks: tuple[str, ...] = ()


def references(client: MlflowClient, variants: Sequence[Variant], data_dir: str) -> References:
    """Return the baselines of all variants; data are read only for texts.

    Args:
        client: client of the store that contains the runs.
        variants: the variants.
        data_dir: the data directory of this machine.
    """
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
        remarks.append(
            f"The majority class is left out for {len(variants) - len(majority)} of "
            f"{len(variants)} settings: an earlier version did not log its scores."
        )
    return References(majority, tfidf, tuple(remarks))


def majority_class(run: StudyRun) -> Baseline | None:
    """Return the baseline that a run logged; None if one of its two scores is missing."""
    f1_macro = run.metrics.get(names.BASELINE_F1_MACRO)
    accuracy = run.metrics.get(names.BASELINE_ACCURACY)
    if f1_macro is None or accuracy is None:
        return None
    return Baseline("majority class", f1_macro, accuracy)


def _tfidf(client: MlflowClient, run: StudyRun, data_dir: str) -> Baseline | str | None:
    """Return the baseline, a sentence on why there is none, or None for images."""
    spec = SPECS.get(run.params.get("dataset", ""))
    if spec is None or spec.kind != "text":
        return None
    try:
        settings = parse_stored(read_config(client, run.run_id))
        data = load(**found_again({**settings.data, "data_dir": data_dir}))
    except (DatasetError, SettingsError, KeyError) as error:
        return f"the data cannot be read: {error}"
    if (changed := _changed(data, run)) is not None:
        return f"the {changed} data are no longer those that the runs used."
    return tfidf_logistic_regression(data.train, data.validation, data.test)


def _changed(data: Dataset, run: StudyRun) -> str | None:
    now = data.fingerprints
    changed = (
        name for name in names.SPLITS if now[name][:DIGITS] != stored_fingerprint(run.tags, name)
    )
    return next(changed, None)

"""The independent check of a run: download artifacts, run the NumPy forward pass, compare, log.

Nothing is taken from the training process: weights, settings and Keras's own predictions are
downloaded from the store, and the test set is built anew. TensorFlow is never imported.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from mlflow import MlflowClient
from mlflow.entities import RunData
from mlflow.exceptions import MlflowException

import scratch_forward
from pipeline import data
from pipeline.data.dataset import Split
from pipeline.data.label_task import TASKS
from pipeline.data.user.location import found_again
from pipeline.errors import first_line
from pipeline.settings import Settings, SettingsError, parse_stored
from pipeline.settings.schema import FunctionData
from pipeline.settings.stored_yaml import read_stored_yaml
from pipeline.tasks import Task, task_named
from pipeline.tracking import names
from pipeline.tracking.artifacts import damage, download_if_there
from pipeline.tracking.attempts import ACCEPTED
from pipeline.tracking.environment import machine
from pipeline.tracking.fingerprints import DIGITS, stored_fingerprint
from pipeline.tracking.temporary_folder import temporary_folder
from pipeline.tracking.tracked_run import TrackedRun
from pipeline.verification.agreement import Agreement, compare
from pipeline.verification.scores import StoredPredictionsError, score_faults, stored_predictions
from pipeline.verification.worst_examples import (
    Mistake,
    WorstExample,
    confident_mistakes,
    worst_examples,
)
from scratch_forward.rounding import Errors, measure

_LARGEST_CONFIG = 2**18  # bytes; a configuration has some 3,000
_DAMAGED = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)
_PULLED = (names.WEIGHTS, names.PREDICTIONS, names.CONFIG_FOLDER)
_SHOWN = ("reports", "class_scores", "examples", "mistakes")  # stored in separate files

Tag = Literal["exact", "close", "diverged", "stale", "failed", "unsupported", "off"]


@dataclass(frozen=True)
class Parity:
    """Outcome of a check.

    Attributes:
        tag: `exact` if the bar is met; `close` if only some output differs by more than 1e-6
            and, compared with a float64 run, both errors have the size of rounding; `diverged`
            otherwise; `stale` if the test set has changed since the run was tested; `failed` if no
            comparison was possible; `unsupported` if the model has a layer without a NumPy
            equivalent and its settings allow that; `off` if its settings switch the check off.
        reason: one sentence, unless `exact`.
        agreement: the comparison, if there was one.
        errors: errors of both against float64, if the bar was not met.
        seconds: time of the forward pass over the test set.
        task: the meaning of the outputs.
        reports: both test reports, if there was a comparison.
        class_scores: scores per class or target by `keras` and by `scratch`, if there was a
            comparison.
        examples: the test examples on which they differ most.
        mistakes: the most confident wrong predictions of Keras.
    """

    tag: Tag
    reason: str = ""
    agreement: Agreement | None = None
    errors: Errors | None = None
    seconds: float | None = None
    task: str = "multiclass"
    reports: str | None = None
    class_scores: Mapping[str, list[Any]] = field(default_factory=dict)
    examples: tuple[WorstExample, ...] = ()
    mistakes: tuple[Mistake, ...] = ()

    @property
    def values(self) -> str:
        """What the outputs are called in a sentence."""
        return task_named(self.task).values

    @property
    def accepted(self) -> bool:
        """Whether both forward passes agree up to rounding, or the settings exempt the run."""
        return self.tag in ACCEPTED


def verify_run(run: TrackedRun, data_dir: str, *, logged: bool = True) -> Parity:
    """Check one run and log the outcome to it.

    Args:
        run: a run in any store, local or remote.
        logged: False for a store that is not writable.
    """
    run.flush()  # its scores are part of the check
    parity = _check(run.client, run.run_id, data_dir)
    if logged:
        _log(run, parity)
    return parity


def skip_check(run: TrackedRun) -> Parity:
    """Log that a run is not checked because its settings say so."""
    parity = Parity("off", "parity=off skips the check; `python -m pipeline.parity` makes it.")
    _log(run, parity)
    return parity


@contextmanager
def pulled(client: MlflowClient, run_id: str, if_there: Sequence[str] = ()) -> Iterator[Path]:
    """Yield a temporary folder with the artifacts for a check, downloaded through MLflow.

    Args:
        if_there: optional artifacts, which the run need not have.
    """
    with temporary_folder() as folder:
        for artifact in _PULLED:
            client.download_artifacts(run_id, artifact, str(folder))
        for artifact in if_there:
            download_if_there(client, run_id, artifact, folder)
        yield folder


def stored_settings(folder: Path) -> Settings:
    """Return the settings of the run whose artifacts are in `folder`.

    Raises:
        SettingsError: when the file is damaged, or its settings are no longer valid.
    """
    file = folder / names.CONFIG
    try:
        if file.stat().st_size > _LARGEST_CONFIG:
            raise SettingsError([f"{names.CONFIG} has more than {_LARGEST_CONFIG:,} bytes."])
        return parse_stored(read_stored_yaml(file.read_text(encoding="utf-8")))
    except SettingsError:
        raise
    except _DAMAGED as error:
        reason = first_line(error)
        raise SettingsError([f"{names.CONFIG} is not a run's configuration: {reason}"]) from error


def _check(client: MlflowClient, run_id: str, data_dir: str) -> Parity:
    run = client.get_run(run_id)
    finished = run.info.status == "FINISHED"  # any other may have an outdated manifest
    more = (names.SERVED_MODEL, names.MANIFEST) if finished else ()
    try:
        with pulled(client, run_id, more) as folder:
            listed = finished and (folder / names.MANIFEST).is_file()
            if listed and (faults := damage(folder, (*_PULLED, names.SERVED_MODEL))):
                return Parity("failed", " ".join(faults))
            return _check_files(folder, run.data, data_dir)
    except (MlflowException, OSError, ValueError) as error:
        status = "" if finished else f"the run is {run.info.status}, "
        return Parity("failed", f"{status}artifacts cannot be downloaded: {first_line(error)}")


def _check_files(folder: Path, logged: RunData, data_dir: str) -> Parity:
    try:
        settings, task = stored_settings(folder), stored_task(logged)
        test, classes = data.load_test(**found_again({**settings.data, "data_dir": data_dir}))
        trained = stored_fingerprint(logged.tags, "test")
        if (digest := test.fingerprint[:DIGITS]) != trained:
            return Parity("stale", _stale_reason(settings, trained, digest))
        keras = stored_predictions(folder, task, test, len(classes))
        if faults := score_faults(task, logged.metrics, keras, test.labels, classes):
            return Parity("failed", " ".join(faults))
        return compare_on(folder, task, keras, test, classes)
    except (data.DatasetError, SettingsError) as error:
        return Parity("failed", f"the test set cannot be rebuilt: {error}")
    except StoredPredictionsError as error:
        return Parity("failed", str(error))
    except scratch_forward.UnsupportedModelError as error:
        tag: Tag = "failed" if settings.training.parity == "required" else "unsupported"
        return Parity(tag, f"NumPy's forward pass does not support {error.listed}.")
    except scratch_forward.ArchiveError as error:
        return Parity("failed", f"{names.KERAS_MODEL}: {error}")
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        return Parity("failed", f"artifacts cannot be read: {first_line(error)}")


def stored_task(logged: RunData) -> Task:
    """Return the task of a run; those of earlier versions are all multiclass.

    Raises:
        SettingsError: when the run's tag names none.
    """
    name = names.task_of(logged.tags)
    if name not in TASKS:
        raise SettingsError([f"the run's tag {names.TASK}={name} is not the name of a task."])
    return task_named(name)


def compare_on(
    folder: Path, task: Task, keras: np.ndarray, test: Split, classes: tuple[str, ...]
) -> Parity:
    """Compare Keras's outputs with NumPy's on the same examples.

    Args:
        keras: Keras's outputs `(N, outputs)`.
        classes: names of the classes, labels or targets.

    Raises:
        UnsupportedModelError: when a layer has no NumPy equivalent.
        ArchiveError: when the model cannot be read.
    """
    archive, labels = folder / names.KERAS_MODEL, test.labels
    model = scratch_forward.load(archive)
    started = time.perf_counter()
    scratch = model.predict(test.inputs)
    seconds = time.perf_counter() - started
    if reason := _not_finite({"Keras's": keras, "our": scratch}):
        return Parity("diverged", reason, task=task.name)
    agreement = compare(task, keras, scratch, labels)
    reports = side_by_side(
        {
            "Keras": task.report(keras, labels, classes),
            "From scratch": task.report(scratch, labels, classes),
        }
    )
    exact = Parity(
        "exact",
        agreement=agreement,
        seconds=seconds,
        task=task.name,
        reports=reports,
        class_scores={
            "keras": task.rows(keras, labels, classes),
            "scratch": task.rows(scratch, labels, classes),
        },
        examples=worst_examples(task, keras, scratch, test, classes),
        mistakes=confident_mistakes(task, keras, test, classes),
    )
    if agreement.verdict == "exact":
        return exact
    double = scratch_forward.load(archive, dtype="float64")
    (measured,) = measure(double, test.inputs, [keras], [scratch])
    tag: Tag = "close" if agreement.verdict == "close" and measured.explain else "diverged"
    reason = _reason(task, agreement, measured, len(labels))
    return replace(exact, tag=tag, reason=reason, errors=measured)


def _not_finite(predictions: Mapping[str, np.ndarray]) -> str:
    """Return whose predictions contain NaN or infinity, which agree with nothing; "" if none."""
    counts = {
        whose: int((~np.isfinite(one)).any(axis=1).sum()) for whose, one in predictions.items()
    }
    told = [
        f"{whose} predictions are not finite for {count} of {len(predictions[whose])} test examples"
        for whose, count in counts.items()
        if count
    ]
    return f"{' and '.join(told)}." if told else ""


def _stale_reason(settings: Settings, trained: str | None, now: str) -> str:
    own = isinstance(settings.dataset, FunctionData)
    return (
        f"the test set of dataset={settings.dataset.name} has changed since the run: its "
        f"fingerprint is {now[:12]}, the run's was {(trained or 'not recorded')[:12]}"
        + ("; a function must return the same data each time." if own else ".")
    )


def _reason(task: Task, agreement: Agreement, measured: Errors, examples: int) -> str:
    told = [f"{task.values} differ by up to {agreement.max_abs_diff:.1e}"]
    if agreement.agreement is not None:
        same = round(agreement.agreement * examples)
        told.append(f"{same} of {examples} examples get the same {task.decided}")
    told += [
        f"{task.compared[name]} differs by {pair.delta:.6f}"
        for name, pair in agreement.scores.items()
    ]
    return (
        f"{', '.join(told)}; against float64 Keras is off by {measured.keras:.1e}, ours by "
        f"{measured.scratch:.1e}."
    )


def side_by_side(texts: Mapping[str, str]) -> str:
    """Put texts side by side, each under its title."""
    columns = [[title, "-" * len(title), *text.splitlines()] for title, text in texts.items()]
    widths = [max(map(len, column)) for column in columns]
    height = max(map(len, columns))
    rows = (
        " | ".join(
            (column[row] if row < len(column) else "").ljust(width)
            for column, width in zip(columns, widths, strict=True)
        ).rstrip()
        for row in range(height)
    )
    return "\n".join(rows) + "\n"


def _log(run: TrackedRun, parity: Parity) -> None:
    run.set_tags({names.PARITY: parity.tag})
    if parity.reason:
        run.set_tags({names.PARITY_REASON: parity.reason})
    else:
        run.remove_tags({names.PARITY_REASON})
    document: dict[str, Any] = asdict(parity)
    shown = {name: document.pop(name) for name in _SHOWN}
    if parity.agreement is not None and parity.reports is not None:
        document["agreement"] = parity.agreement.numbers | {"verdict": parity.agreement.verdict}
        numbers: dict[str, float | None] = dict(parity.agreement.numbers)
        numbers["seconds_scratch"] = parity.seconds
        if parity.errors is not None:
            numbers |= {f"error_{name}": value for name, value in asdict(parity.errors).items()}
        known = {
            names.PARITY_NUMBER + k: value for k, value in numbers.items() if value is not None
        }
        run.log_metrics(known)
        run.flush()
        run.log_text(parity.reports, names.parity_reports(parity.task))
        run.log_json(shown["class_scores"], names.PARITY_SCORES)
        run.log_json(shown["examples"], names.WORST_EXAMPLES)
        run.log_json(shown["mistakes"], names.MISTAKES)
    run.log_json({**document, "machine": machine()}, names.PARITY_OUTCOME)

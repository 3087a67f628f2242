"""Stores an evaluation with its run, under the name of the data."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.evaluation.evaluate_run import Evaluation
from pipeline.reports.run.prediction_figures import prediction_figures
from pipeline.reports.run.run_page import write_run_page
from pipeline.tracking import names
from pipeline.tracking.environment import machine
from pipeline.tracking.tracked_run import TrackedRun


def log_evaluation(tracked: TrackedRun, name: str, evaluation: Evaluation) -> None:
    """Log scores and parity as metrics, and report, figures and predictions as artifacts.

    A second evaluation on data of the same name replaces the first. The run's page is written
    again, because it lists the evaluations.
    """
    numbers = dict(evaluation.scores)
    if (agreement := evaluation.parity.agreement) is not None:
        numbers |= {names.PARITY_NUMBER + key: value for key, value in agreement.numbers.items()}
    tracked.log_metrics({names.evaluation(name, key): value for key, value in numbers.items()})
    tracked.flush()
    with tracked.artifact_folder(names.EVALUATIONS) as parent:
        folder = parent / name
        folder.mkdir()
        _write(folder, evaluation)
    tracked.log_json(_document(evaluation), names.evaluation_document(name))
    write_run_page(tracked)


def _write(folder: Path, evaluation: Evaluation) -> None:
    task, labels = evaluation.task, evaluation.data.split.labels
    report = Path(names.test_report(task.name)).name
    (folder / report).write_text(evaluation.report, encoding="utf-8")
    arrays: dict[str, Any] = {task.stored_as: evaluation.outputs, "labels": labels}
    np.savez(folder / "predictions.npz", **arrays)
    figures = prediction_figures(task, evaluation.outputs, labels, evaluation.classes)
    for name, figure in figures.items():
        (folder / f"{name}.svg").write_text(figure.document(), encoding="utf-8")


def _document(evaluation: Evaluation) -> dict[str, Any]:
    parity, data = evaluation.parity, evaluation.data
    return {
        "data": {
            "source": data.origin,
            "examples": len(data.split),
            "fingerprint": data.split.fingerprint,
            "checksums": dict(data.checksums),
            "copies_of_training_examples": evaluation.copies,
        },
        "notes": evaluation.notes,
        "scores": dict(evaluation.scores),
        "parity": {
            "tag": parity.tag,
            "reason": parity.reason,
            "numbers": parity.agreement.numbers if parity.agreement else None,
            "errors": asdict(parity.errors) if parity.errors else None,
        },
        "machine": machine(),
    }

"""Composes the page of a run and stores it as an artifact."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

from pipeline.reports.drawing.pages import Table, number, render_page
from pipeline.reports.drawing.svg import Drawing
from pipeline.reports.run.prediction_figures import CAPTIONS, prediction_figures
from pipeline.reports.run.run_description import run_description
from pipeline.reports.run.run_figures import loss_curves, measure_curves
from pipeline.reports.run.stored_run import StoredRun, read_stored
from pipeline.settings.scores import SCORES
from pipeline.tasks import Task
from pipeline.tracking import names
from pipeline.tracking.attempts import PASSED
from pipeline.tracking.environment import machine_in_words
from pipeline.tracking.fingerprints import stored_fingerprint
from pipeline.tracking.tracked_run import TrackedRun


@dataclass(frozen=True)
class Tile:
    """One important number with its name and a value to compare it with."""

    value: str
    name: str
    beside: Sequence[str] = ()


def write_run_page(run: TrackedRun) -> None:
    """Compose the page and the description from a run's stored data, and store both with it."""
    stored = read_stored(run.client, run.run_id)
    run.set_tags({names.DESCRIPTION: run_description(stored)})
    run.log_text(run_page(stored), names.PAGE)


def run_page(stored: StoredRun) -> str:
    """Return the page of a stored run, HTML."""
    params, tags = stored.run.data.params, stored.run.data.tags
    by_hand = dict(line.lstrip("+").partition("=")[::2] for line in stored.overrides)
    return render_page(
        "pipeline.reports.run",
        "run.html.j2",
        title=stored.run.info.run_name,
        subtitle=_subtitle(stored),
        tiles=_tiles(stored),
        warnings=_warnings(tags, stored.parity),
        by_hand=by_hand,
        settings={key: value for key, value in params.items() if key not in by_hand},
        data=_data(tags),
        curves=_curves(stored),
        figures=_figures(stored),
        scores=_scores(stored),
        evaluations=_evaluations(stored),
        mistakes_title=stored.task.mistakes,
        mistakes=stored.mistakes,
        unit=stored.task.unit,
        class_scores=_class_scores(stored),
        reports="" if stored.class_scores else stored.reports,
        parity=_parity(stored.task, stored.parity),
        exact=stored.parity.get("tag") == "exact",
        examples=stored.examples,
        cost=_cost(stored),
        commands=_commands(stored),
    )


def _subtitle(stored: StoredRun) -> str:
    info, params = stored.run.info, stored.run.data.params
    started = datetime.fromtimestamp(info.start_time / 1000, UTC)
    return (
        f"{params.get('model', 'a model')} on {params.get('dataset', 'unknown data')}, "
        f"experiment {stored.experiment}, started {started:%Y-%m-%d %H:%M} UTC, run {info.run_id}"
    )


def _tiles(stored: StoredRun) -> list[Tile]:
    metrics, tags = stored.run.data.metrics, stored.run.data.tags
    largest = number(metrics.get(names.PARITY_MAX_ABS_DIFF), ".1e")
    parameters = f"{number(metrics.get(names.PARAMETERS), ',.0f')} parameters"
    return [
        *(_score_tile(stored.task, metrics, name) for name in stored.task.tiles),
        Tile(tags.get(names.PARITY, "–"), "parity with NumPy", [f"largest difference {largest}"]),
        Tile(number(metrics.get(names.SECONDS), ",.1f"), "seconds in total", [parameters]),
    ]


def _score_tile(task: Task, metrics: Mapping[str, float], name: str) -> Tile:
    constant = metrics.get(names.baseline(task.baseline_kind, name))
    validation = metrics.get(names.VALIDATION + name)
    beside = [] if validation is None else [f"validation {validation:.3f}"]
    beside += [] if constant is None else [f"{task.baseline_title} {constant:.3f}"]
    return Tile(number(metrics.get(names.TEST + name), ".3f"), f"test {SCORES[name].title}", beside)


def _warnings(tags: Mapping[str, str], parity: Mapping[str, Any]) -> list[str]:
    warnings = []
    if tags.get(names.ERROR):
        warnings.append(f"The run failed: {tags[names.ERROR]}")
    if (degenerate := tags.get(names.DEGENERATE, "no")) != "no":
        warnings.append(f"On the test set the model {degenerate}.")
    if parity and parity["tag"] not in PASSED:
        warnings.append(f"Parity {parity['tag']}: {parity['reason']}")
    if tags.get(names.GIT_DIRTY) == "True":
        warnings.append("The code had changes that were not committed.")
    return warnings


def _data(tags: Mapping[str, str]) -> dict[str, str]:
    fingerprints = {
        f"fingerprint, {split}": found
        for split in names.SPLITS
        if (found := stored_fingerprint(tags, split)) is not None
    }
    return {"data": tags.get(names.DATA, "not recorded"), **fingerprints}


def _curves(stored: StoredRun) -> list[tuple[Drawing, str]]:
    if stored.history is None:
        return []
    return [
        (loss_curves(stored.history), "Training and validation loss by epoch"),
        (
            measure_curves(stored.history),
            f"Training and validation {SCORES[stored.task.measure].title} by epoch",
        ),
    ]


def _figures(stored: StoredRun) -> list[tuple[Drawing, str]]:
    if stored.outputs is None or stored.labels is None or not stored.classes:
        return []
    drawn = prediction_figures(stored.task, stored.outputs, stored.labels, stored.classes)
    return [(figure, CAPTIONS[name]) for name, figure in drawn.items()]


def _scores(stored: StoredRun) -> Table:
    metrics = stored.run.data.metrics
    task = stored.task
    shown = {SCORES[name].title: name for name in task.score_names}
    shown |= task.name_scores(stored.classes)
    return Table(
        ("score", "validation", "test", task.baseline_title),
        [
            [title, *(number(metrics.get(one), ".4f") for one in _logged(task, name))]
            for title, name in shown.items()
        ],
    )


def _logged(task: Task, score: str) -> tuple[str, str, str]:
    """Return the metrics of a score: on validation and test data, and of the baseline."""
    constant = names.baseline(task.baseline_kind, score)
    return names.VALIDATION + score, names.TEST + score, constant


def _evaluations(stored: StoredRun) -> Table | None:
    scores = stored.task.score_names
    headings = [SCORES[score].column for score in scores]
    rows = [
        [
            one.name,
            f"{one.examples:,}",
            number(one.copies, ",d"),
            *(number(one.scores.get(score), ".4f") for score in scores),
            one.parity,
        ]
        for one in stored.evaluations
    ]
    return Table(("data", "examples", "copies", *headings, "parity"), rows) if rows else None


def _class_scores(stored: StoredRun) -> Table | None:
    """Return Keras's scores per class or target, with the deviation of NumPy's."""
    keras, scratch = (stored.class_scores.get(side, ()) for side in ("keras", "scratch"))
    if not keras or [one.name for one in keras] != [one.name for one in scratch]:
        return None
    return Table(
        (stored.task.unit, *stored.task.columns.values(), "examples", "difference"),
        [
            [
                *(ours.name, *(f"{score:.4f}" for score in numbers), f"{ours.support:,}"),
                _largest(numbers, _numbers(stored.task, theirs)),
            ]
            for ours, theirs in zip(keras, scratch, strict=True)
            for numbers in (_numbers(stored.task, ours),)
        ],
    )


def _numbers(task: Task, row: Any) -> list[float]:
    return [float(getattr(row, column)) for column in task.columns]


def _largest(first: Sequence[float], second: Sequence[float]) -> str:
    largest = max(abs(one - other) for one, other in zip(first, second, strict=True))
    return f"{largest:.4f}" if largest else "0"


def _parity(task: Task, parity: Mapping[str, Any]) -> dict[str, str]:
    if not parity:
        return {"outcome": "not checked"}
    facts = {"outcome": " – ".join(filter(None, (parity["tag"], parity["reason"])))}
    facts |= _agreement(task, parity["agreement"] or {})
    if errors := parity["errors"]:
        facts["against float64"] = f"Keras {errors['keras']:.1e}, ours {errors['scratch']:.1e}"
    return facts


def _agreement(task: Task, found: Mapping[str, Any]) -> dict[str, str]:
    if not found:
        return {}
    sides = ("keras", "scratch", "delta")
    facts = {}
    for score, title in task.compared.items():
        keras, scratch, delta = (found[f"{score}_{side}"] for side in sides)
        facts[title] = f"Keras {keras:.6f}, from scratch {scratch:.6f}, difference {delta:.6f}"
    if "agreement" in found:
        facts[f"same {task.decided}"] = f"{found['agreement']:.2%} of the test examples"
    facts[task.values] = (
        f"differ by at most {found['max_abs_diff']:.1e}, on average by {found['mean_abs_diff']:.1e}"
    )
    if "certified_fraction" in found:
        facts["certified"] = (
            f"{found['certified_fraction']:.2%} of the predicted {task.decided_several} cannot "
            "change by rounding errors of this size"
        )
    return facts


def _cost(stored: StoredRun) -> dict[str, str]:
    metrics = stored.run.data.metrics
    facts = {"whole run": f"{number(metrics.get(names.SECONDS), ',.1f')} s"}
    if stored.history is not None:
        seconds = [epoch.seconds for epoch in stored.history.epochs]
        facts["epochs"] = f"{len(seconds)}, {median(seconds):,.2f} s each (median)"
    if stored.parity and stored.parity["seconds"] is not None:
        facts["test set through NumPy"] = f"{stored.parity['seconds']:.2f} s"
    facts["parameters"] = number(metrics.get(names.PARAMETERS), ",.0f")
    facts["machine"] = machine_in_words(stored.machine)
    return facts


def _commands(stored: StoredRun) -> list[str]:
    commit = stored.run.data.tags.get(names.GIT_COMMIT)
    command = shlex.join(["python", "-m", "pipeline.train", *stored.overrides])
    return [f"git checkout {commit}", command] if commit else [command]

"""Evaluates all chosen runs on the chosen data, and logs each."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import not_offered
from pipeline.evaluation.evaluate_run import ChosenData, Evaluation, evaluate_run
from pipeline.evaluation.logged_evaluation import log_evaluation
from pipeline.settings import SettingsError, parse_dataset, parse_runs_choice
from pipeline.settings.schema import FunctionData, RunChoice
from pipeline.tracking.names import SPLITS
from pipeline.tracking.run_choice import choose_runs
from pipeline.tracking.store import Store
from pipeline.tracking.tracked_run import TrackedRun

_NAME = re.compile(r"[\w.-][\w. -]{0,99}")


def chosen_runs(values: Mapping[str, Any]) -> list[RunChoice]:
    """Return one choice per id in `run_id=a,b`, or a single one for a whole sweep or experiment.

    Raises:
        SettingsError: when a choice cannot be read, or there is none.
    """
    asked = str(values["run_id"]).split(",") if values["run_id"] is not None else [None]
    return [parse_runs_choice({**values, "run_id": one}) for one in asked]


def chosen_data(values: Mapping[str, Any]) -> ChosenData:
    """Check the settings of the data.

    Raises:
        SettingsError: with every fault found.
    """
    dataset = parse_dataset(values["dataset"])
    if values["split"] not in SPLITS:
        raise SettingsError([not_offered("split", str(values["split"]), SPLITS)])
    options = dataset.model_dump(exclude_none=not isinstance(dataset, FunctionData))
    name = str(values["name"] or _default_name(options))
    if not _NAME.fullmatch(name) or name in (".", ".."):
        raise SettingsError(
            [f"name={name} must be at most 100 letters, digits, spaces, dots, - and _."]
        )
    return ChosenData(name, options, values["split"], str(values["data_dir"]))


def _default_name(options: Mapping[str, Any]) -> str:
    path = options.get("path")
    return Path(str(path)).stem if path else str(options["name"]).replace(":", ".")


def evaluate_chosen(
    store: Store, choices: Sequence[RunChoice], data: ChosenData
) -> list[Evaluation]:
    """Evaluate runs in the order of the choices; each is logged before the next one begins.

    Raises:
        StoreError: when a run does not exist or has no intact weights.
        DatasetError: when the data do not fit a run.
    """
    run_ids = [run_id for choice in choices for run_id in choose_runs(store, choice)]
    evaluations = []
    for run_id in dict.fromkeys(run_ids):
        evaluations.append(evaluate_run(store.client, run_id, data))
        if not store.read_only:
            log_evaluation(TrackedRun(store.client, run_id), data.name, evaluations[-1])
    return evaluations

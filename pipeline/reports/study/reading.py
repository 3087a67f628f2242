"""Reads runs back from MLflow, whichever machine made them."""

from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run

from pipeline.errors import StoreError
from pipeline.reports.study.study_run import StudyRun
from pipeline.settings.as_typed import logged_parameters
from pipeline.settings.scores import MEASURES
from pipeline.settings.stored_yaml import StoredYamlError, read_stored_yaml
from pipeline.tracking import names
from pipeline.tracking.artifacts import download_if_there
from pipeline.tracking.temporary_folder import temporary_folder


def read_run(client: MlflowClient, run: Run) -> StudyRun:
    """Read a run's numbers and, if it finished, its curves (one request per curve)."""
    finished = run.info.status == "FINISHED"
    drawn = names.curves(MEASURES[names.task_of(run.data.tags)])
    return StudyRun(
        run_id=run.info.run_id,
        name=run.info.run_name,
        status=run.info.status,
        started=run.info.start_time,
        params=logged_parameters(run.data.params),
        metrics=run.data.metrics,
        tags=run.data.tags,
        curves={name: _curve(client, run.info.run_id, name) for name in drawn if finished},
    )


def _curve(client: MlflowClient, run_id: str, name: str) -> tuple[float, ...]:
    history = client.get_metric_history(run_id, name)
    by_step = {metric.step: metric.value for metric in history}
    return tuple(by_step[step] for step in sorted(by_step))


def read_config(client: MlflowClient, run_id: str) -> dict[str, Any]:
    """Return the composed configuration of a run; empty if it was not stored.

    Raises:
        StoreError: when it is damaged.
    """
    text = read_text(client, run_id, names.CONFIG)
    try:
        config = read_stored_yaml(text) if text else {}
    except StoredYamlError as error:
        raise damaged(run_id, names.CONFIG, error) from error
    if not isinstance(config, dict):
        raise damaged(run_id, names.CONFIG, "it is not a table of settings")
    return config


def damaged(run_id: str, path: str, reason: object) -> StoreError:
    """Return the error for an artifact that cannot be read."""
    return StoreError(f"run_id={run_id}: {path} cannot be read: {reason}.")


def read_text(client: MlflowClient, run_id: str, path: str) -> str | None:
    """Return a text artifact of a run; None if there is none."""
    with temporary_folder() as folder:
        file = download_if_there(client, run_id, path, folder)
        return file.read_text("utf-8") if file and file.is_file() else None

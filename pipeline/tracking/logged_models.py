"""The MLflow model of a run as a logged model: MLflow lists it, and it can be registered.

A logged model has a folder of its own. On this machine its files are hard links to those in the
run's artifacts; on a server they are uploaded a second time.
"""

import os
import shutil
from pathlib import Path

from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus, Metric, Run
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from pipeline.tracking import names
from pipeline.tracking.artifacts import local_folder
from pipeline.tracking.retries import patiently
from pipeline.tracking.tracked_run import TrackedRun

_REFUSED = str.maketrans(dict.fromkeys("/:.%\"'", "_"))  # characters of a name that MLflow refuses
_ORIGIN = (names.USER, names.SOURCE_NAME, names.SOURCE_TYPE, names.GIT_COMMIT)
_SCORES = (names.VALIDATION, names.TEST)
_LARGEST = 1e300  # MLflow would show NaN as 0, and infinity as 1.8e308


def new_model(run: TrackedRun) -> LoggedModel:
    """Create the logged model of a run, with its name, parameters and origin.

    A model of an interrupted attempt is deleted. Characters of the name that MLflow refuses become
    underscores.
    """
    entity = run.entity
    for earlier in models_of(entity):
        run.client.delete_logged_model(earlier)
    created: LoggedModel = run.client.create_logged_model(
        entity.info.experiment_id,
        name=entity.info.run_name.translate(_REFUSED),
        source_run_id=run.run_id,
        params=entity.data.params,
        tags={tag: entity.data.tags[tag] for tag in _ORIGIN if tag in entity.data.tags},
    )
    return created


def models_of(run: Run) -> list[str]:
    """Return the ids of a run's logged models."""
    return [output.model_id for output in run.outputs.model_outputs] if run.outputs else []


def upload_model(run: TrackedRun, model: LoggedModel, folder: Path) -> None:
    """Upload a model's files to a store that is not on this machine."""
    if local_folder(model.artifact_location) is not None:
        return
    place = get_artifact_repository(model.artifact_location, tracking_uri=run.client.tracking_uri)
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        below = file.parent.relative_to(folder).as_posix()
        patiently(place.log_artifact, str(file), below if below != "." else None)


def finish_model(run: TrackedRun, model: LoggedModel) -> None:
    """Make the model complete: link its files on this machine, show it and its scores."""
    here, artifacts = (
        local_folder(uri) for uri in (model.artifact_location, run.entity.info.artifact_uri)
    )
    if here is not None and artifacts is not None:
        shutil.copytree(
            artifacts / names.SERVED_MODEL, here, copy_function=_link, dirs_exist_ok=True
        )
    _log_scores(run, model)
    run.client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    run.client.log_outputs(run.run_id, [LoggedModelOutput(model.model_id, step=0)])


def _log_scores(run: TrackedRun, model: LoggedModel) -> None:
    """Log the run's scores to the model, which MLflow lists with its own metrics.

    MLflow logs them to the run as well, where a point with the same time is the same point.
    """
    run.flush()
    stored = run.client.get_run(run.run_id).data.to_proto().metrics
    scores = [
        Metric(one.key, one.value, one.timestamp, one.step, model_id=model.model_id)
        for one in stored
        if one.key.startswith(_SCORES) and one.key.count("/") == 1 and abs(one.value) < _LARGEST
    ]
    if scores:
        run.client.log_batch(run.run_id, metrics=scores)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)

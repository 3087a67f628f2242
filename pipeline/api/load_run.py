"""`pipeline.load`: a run's model with its preprocessing, computed by NumPy alone."""

from typing import Any

from pipeline.api.settings_of import settings_of
from pipeline.settings import SettingsError, parse_run_choice, parse_tracking
from pipeline.tracking.run_choice import choose_run
from pipeline.tracking.store import locate_store
from pipeline.tracking.weights import weights_folder
from scratch_forward import ArchiveError, Classifier


def load(
    run_id: str,
    *,
    sweep: str | None = None,
    experiment: str | None = None,
    select_by: str | None = None,
    tracking: str | None = None,
) -> Classifier:
    """Load a run's model with its preprocessing; TensorFlow and MLflow are not imported.

    >>> pipeline.load("best")(["makanannya enak sekali"])[0].class_name  # doctest: +SKIP

    Args:
        run_id: the id of a run, the first characters of it, `latest` or `best`.
        sweep: choose among the runs of this sweep: its id, or `latest`.
        experiment: choose among the runs of this experiment.
        select_by: the validation score that selects the best run.
        tracking: address of an MLflow server; None for `MLFLOW_TRACKING_URI`, or the store of the
            working directory.

    Returns:
        The model and its preprocessing, after their parity card was replayed.

    Raises:
        PipelineError: when no run or several match, or its weights are missing or damaged.
    """
    given: dict[str, Any] = {"run_id": run_id, "sweep": sweep, "experiment": experiment}
    values = settings_of("predict", tracking, {**given, "select_by": select_by})
    store = locate_store(**parse_tracking(values["tracking"]).model_dump())
    try:
        with weights_folder(choose_run(store, parse_run_choice(values)), store) as folder:
            return Classifier.load(folder, verify=True)
    except ArchiveError as error:
        raise SettingsError([str(error)]) from error

"""The loop that people write, for comparison: `python -m benchmarks.plain jobs.json [autolog]`.

Trains one job after the other with Keras alone: no check, figures or artifacts of its own. With
`autolog` each fit is a run that `mlflow.keras.autolog` fills, in `mlruns/` of the folder it is
started in.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sklearn.metrics import f1_score

from pipeline import data
from pipeline.data import Dataset
from pipeline.models.build import build_model, data_spec
from pipeline.models.keras_backend import keras

Job = dict[str, Any]
STORE = "sqlite:///mlruns/mlflow.db"


def main() -> None:
    """Train every job of a file and print its macro F1."""
    jobs = json.loads(Path(sys.argv[1]).read_text())
    dataset = data.load(**jobs[0]["data"])
    fit_one = _in_a_run(train) if "autolog" in sys.argv else train
    for job in jobs:
        print(job["name"], fit_one(job, dataset))


def _in_a_run(fit_one: Callable[[Job, Dataset], float]) -> Callable[[Job, Dataset], float]:
    import mlflow

    mlflow.set_tracking_uri(STORE)
    mlflow.set_experiment("autolog")
    mlflow.keras.autolog()

    def tracked(job: Job, data: Dataset) -> float:
        with mlflow.start_run(run_name=job["name"]):
            mlflow.log_params(job["model"])
            f1_macro = fit_one(job, data)
            mlflow.log_metric("test_f1_macro", f1_macro)
        return f1_macro

    return tracked


def train(job: Job, data: Dataset) -> float:
    """Fit one model; its macro F1 on the test set."""
    keras.utils.set_random_seed(job["seed"])
    model = build_model(job["model_name"], data_spec(data), job["model"])
    optimizer = keras.optimizers.Adam(job["learning_rate"])
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(
        data.train.inputs,
        data.train.labels,
        validation_data=(data.validation.inputs, data.validation.labels),
        epochs=job["epochs"],
        batch_size=job["batch_size"],
        verbose=0,
    )
    predicted = model.predict(data.test.inputs, verbose=0).argmax(axis=1)
    return float(f1_score(data.test.labels, predicted, average="macro"))


if __name__ == "__main__":
    main()

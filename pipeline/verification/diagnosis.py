"""Compares Keras and the forward pass layer by layer, to find the layer that differs."""

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from mlflow import MlflowClient

import scratch_forward
from pipeline.data import load_test
from pipeline.data.user.location import found_again
from pipeline.models.keras_backend import keras
from pipeline.settings import SettingsError
from pipeline.tracking import names
from pipeline.verification.check import pulled, stored_settings, stored_task
from pipeline.verification.scores import stored_predictions
from scratch_forward import Sequential

EXAMPLES = 32  # number of compared test examples: those that differ most
FAULT = 1e-5  # relative to a layer's largest output: far above rounding, far below a wrong equation


@dataclass(frozen=True)
class LayerCheck:
    """One layer, computed by both models."""

    layer: str
    kind: str  # its class
    shape: tuple[int, ...]  # shape of its output, including the batch
    carried: float  # largest difference if each model is fed its own previous output
    isolated: float  # largest difference if ours is fed the input of Keras's layer
    isolated_ulp: float  # `isolated` in units in the last place of float32, at the worst element
    worst: tuple[int, ...]  # index of the element with the largest isolated difference
    scale: float  # largest absolute output of Keras

    @property
    def relative(self) -> float:
        """The isolated difference relative to the layer's scale, which counts as at least 1."""
        return self.isolated / max(self.scale, 1.0)


def diagnose_run(
    client: MlflowClient, run_id: str, data_dir: str, *, logged: bool = True
) -> list[LayerCheck]:
    """Compare a run's model layer by layer on the examples that differ most, and log a table.

    Raises:
        SettingsError: when the model is not a sequence of layers.
    """
    with pulled(client, run_id) as folder:
        archive = folder / names.KERAS_MODEL
        scratch = scratch_forward.load(archive)
        reference = keras.models.load_model(archive, compile=False)
        if not isinstance(scratch, scratch_forward.Sequential):
            raise SettingsError(
                [f"diagnose=true: run_id={run_id} is not a model with its layers in a row."]
            )
        test, classes = load_test(
            **found_again({**stored_settings(folder).data, "data_dir": data_dir})
        )
        task = stored_task(client.get_run(run_id).data)
        predicted = stored_predictions(folder, task, test, len(classes))
        difference = np.abs(predicted - scratch.predict(test.inputs)).max(axis=1)
        worst = np.argsort(-np.nan_to_num(difference, nan=np.inf), kind="stable")[:EXAMPLES]
        checks = list(check_layers(reference, scratch, test.inputs[worst]))
    if logged:
        client.log_text(run_id, as_csv(checks), names.DIAGNOSIS)
    return checks


def as_csv(checks: list[LayerCheck]) -> str:
    """Return one row per layer as CSV, which MLflow shows as a sortable table."""
    lines = io.StringIO()
    table = csv.DictWriter(lines, [field.name for field in fields(LayerCheck)])
    table.writeheader()
    table.writerows(asdict(check) for check in checks)
    return lines.getvalue()


def check_layers(
    reference: keras.Sequential, scratch: Sequential, inputs: np.ndarray
) -> Iterator[LayerCheck]:
    """Run both models on the same inputs and compare them after every layer.

    Args:
        inputs: a batch that both accept.

    Raises:
        ValueError: when the two do not have the same layers.
    """
    theirs: Any = keras.ops.convert_to_tensor(inputs)
    ours, our_mask = scratch.convert(inputs), None
    for keras_layer, layer in zip(reference.layers, scratch.layers, strict=True):
        fed, mask = np.asarray(theirs), getattr(theirs, "_keras_mask", None)
        theirs = keras_layer(theirs)
        alone, _ = layer.run(fed, None if mask is None else np.asarray(mask))
        ours, our_mask = layer.run(ours, our_mask)
        yield _compare(keras_layer, np.asarray(theirs), np.asarray(ours), np.asarray(alone))


def guilty(checks: list[LayerCheck]) -> LayerCheck | None:
    """Return the layer with the largest relative isolated difference; None if all is rounding."""
    worst = max(checks, key=lambda check: check.relative, default=None)
    return worst if worst is not None and not worst.relative <= FAULT else None


def _compare(
    layer: keras.layers.Layer, theirs: np.ndarray, ours: np.ndarray, alone: np.ndarray
) -> LayerCheck:
    difference = np.nan_to_num(np.abs(theirs - alone), nan=np.inf)
    worst = np.unravel_index(difference.argmax(), difference.shape)
    spacing = np.spacing(np.maximum(np.abs(theirs[worst]), np.finfo(np.float32).tiny))
    return LayerCheck(
        layer=layer.name,
        kind=type(layer).__name__,
        shape=theirs.shape,
        carried=float(np.nan_to_num(np.abs(theirs - ours), nan=np.inf).max()),
        isolated=float(difference[worst]),
        isolated_ulp=float(difference[worst] / spacing),
        worst=tuple(map(int, worst)),
        scale=float(np.abs(theirs).max()),
    )

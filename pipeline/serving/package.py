"""Packs weights and preprocessing into an MLflow model (pyfunc, from code, no pickle)."""

import logging
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.entities import LoggedModel
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from mlflow.types.schema import Array, Map

import scratch_forward
from scratch_forward.card import raw_probes
from scratch_forward.preprocessing import (
    InputsPreprocessing,
    Preprocessing,
    TablePreprocessing,
    TextPreprocessing,
)

logging.getLogger("mlflow.pyfunc").setLevel(logging.WARNING)  # it logs every validated example

PREDICTOR = Path(__file__).with_name("predictor.py")
_NEEDED = ("numpy", "h5py", "threadpoolctl")
EXAMPLE_TEXT = "makanannya enak sekali"


def save_served_model(
    path: Path,
    weights: Path,
    preprocessing: Preprocessing,
    task: str = "multiclass",
    logged: LoggedModel | None = None,
) -> None:
    """Write the MLflow model of a run into a folder.

    Args:
        path: the folder to write to.
        weights: the folder with `model.keras` and `preprocessing.json`.
        preprocessing: determines the model's input: a column `text`, the columns of a table, images
            of integers, arrays, or a dict of arrays.
        task: determines the model's answer; see `scratch_forward.predictions`.
        logged: the logged model that the files will belong to.
    """
    mlflow.pyfunc.save_model(
        path=str(path),
        mlflow_model=_described(logged) if logged else None,
        python_model=str(PREDICTOR),
        artifacts={"weights": str(weights)},
        code_paths=[str(Path(scratch_forward.__file__).parent)],
        pip_requirements=[f"{name}=={version(name)}" for name in _NEEDED],
        signature=ModelSignature(_input_schema(preprocessing), Schema(_answer(task))),
        input_example=_example(preprocessing),
    )


def _described(logged: LoggedModel) -> Model:
    return Model(
        artifact_path=logged.artifact_location,
        model_uuid=logged.model_id,
        run_id=logged.source_run_id,
        model_id=logged.model_id,
    )


def _answer(task: str) -> list[ColSpec | TensorSpec]:
    if task == "regression":
        return [ColSpec(Map(DataType.double), "values")]
    decided = (
        ColSpec(Array(DataType.string), "labels")
        if task == "multilabel"
        else ColSpec(DataType.string, "class")
    )
    return [decided, ColSpec(Map(DataType.double), "probabilities")]


def _input_schema(preprocessing: Preprocessing) -> Schema:
    if isinstance(preprocessing, TextPreprocessing):
        return Schema([ColSpec(DataType.string, "text")])
    if isinstance(preprocessing, TablePreprocessing):
        return Schema([ColSpec(DataType.double, name) for name in preprocessing.columns])
    example = _example(preprocessing)
    if isinstance(example, dict):
        return Schema([_tensor(one, name) for name, one in example.items()])
    return Schema([_tensor(example)])


def _tensor(example: np.ndarray, name: str | None = None) -> TensorSpec:
    return TensorSpec(example.dtype, (-1, *example.shape[1:]), name)


def _example(preprocessing: Preprocessing) -> Any:
    """Return one raw example: a data frame for texts and tables, else arrays."""
    if isinstance(preprocessing, InputsPreprocessing):
        return {name: _example_array(one) for name, one in preprocessing.inputs.items()}
    if isinstance(preprocessing, TextPreprocessing):
        return pd.DataFrame({"text": [EXAMPLE_TEXT]})
    if isinstance(preprocessing, TablePreprocessing):
        return pd.DataFrame(_example_array(preprocessing), columns=list(preprocessing.columns))
    return _example_array(preprocessing)


def _example_array(preprocessing: Preprocessing) -> np.ndarray:
    raw = raw_probes(preprocessing)
    return np.array(raw[:1], object if isinstance(raw, list) else raw.dtype)

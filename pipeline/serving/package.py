"""Packs weights and preprocessing into an MLflow model (pyfunc, from code, no pickle)."""

import logging
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from mlflow.types.schema import Map

import scratch_forward
from scratch_forward.preprocessing import ImagePreprocessing, TextPreprocessing

logging.getLogger("mlflow.pyfunc").setLevel(logging.WARNING)  # it logs every validated example

PREDICTOR = Path(__file__).with_name("predictor.py")
_NEEDED = ("numpy", "h5py", "threadpoolctl")
EXAMPLE_TEXT = "makanannya enak sekali"


def save_served_model(
    path: Path, weights: Path, preprocessing: TextPreprocessing | ImagePreprocessing
) -> None:
    """Write the MLflow model of a run into a folder.

    Args:
        path: the folder to write to.
        weights: the folder with `model.keras` and `preprocessing.json`.
        preprocessing: determines the model's input: a column `text`, or images of integers.
    """
    mlflow.pyfunc.save_model(
        path=str(path),
        python_model=str(PREDICTOR),
        artifacts={"weights": str(weights)},
        code_paths=[str(Path(scratch_forward.__file__).parent)],
        pip_requirements=[f"{name}=={version(name)}" for name in _NEEDED],
        signature=_signature(preprocessing),
        input_example=_example(preprocessing),
    )


def _signature(preprocessing: TextPreprocessing | ImagePreprocessing) -> ModelSignature:
    answer = Schema(
        [ColSpec(DataType.string, "class"), ColSpec(Map(DataType.double), "probabilities")]
    )
    if isinstance(preprocessing, TextPreprocessing):
        return ModelSignature(Schema([ColSpec(DataType.string, "text")]), answer)
    images = TensorSpec(np.dtype(np.uint8), (-1, *preprocessing.input_shape))
    return ModelSignature(Schema([images]), answer)


def _example(preprocessing: TextPreprocessing | ImagePreprocessing) -> Any:
    if isinstance(preprocessing, TextPreprocessing):
        return pd.DataFrame({"text": [EXAMPLE_TEXT]})
    return np.zeros((1, *preprocessing.input_shape), np.uint8)

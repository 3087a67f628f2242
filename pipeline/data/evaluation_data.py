"""Labelled data for a trained model: read with the preprocessing and the classes of its run."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.dataset import Split
from pipeline.data.examples import Examples, Source
from pipeline.data.label_task import task_of_labels
from pipeline.data.loading import read_source
from pipeline.data.preprocessing import split as encoded_split
from pipeline.errors import DatasetError
from scratch_forward.preprocessing import (
    ImagePreprocessing,
    InputsPreprocessing,
    Preprocessing,
    TablePreprocessing,
    TextPreprocessing,
)

_FITTED = ("vocabulary_size", "max_length", "standardize", "flips")  # given by the preprocessing
_UNDIVIDED = {"validation_share": 0.0, "test_share": 1.0}
_CLASSES_GIVEN = ("csv", "image_folder")  # readers that label by name, in the order of `classes`


@dataclass(frozen=True, eq=False)
class LabelledData:
    """Examples as a trained model reads them, labelled in the order of its classes.

    Attributes:
        split: the examples.
        contents: N values that are equal for equal examples, see `Examples.contents`.
        origin: one phrase on the source of the data.
        checksums: SHA-256 of each file read.
    """

    split: Split
    contents: list[Hashable]
    origin: str
    checksums: Mapping[str, str]


def load_labelled(
    options: Mapping[str, Any], part: str, preprocessing: Preprocessing, task: str, data_dir: str
) -> LabelledData:
    """Read a part of a data set for a trained model.

    Args:
        options: the settings of the data set. Sizes and class names that they leave open are those
            of the model.
        part: `train`, `validation` or `test`; data that are not divided are `test` as a whole.
        preprocessing: the model's; it is applied, not fitted.
        task: the model's task.
        data_dir: folder of the data sets.

    Raises:
        DatasetError: when the data are not available, have no such part, other classes or another
            kind of input than the model reads.
    """
    source = _read(options, preprocessing, task, data_dir)
    examples = {"train": source.train, "validation": source.validation, "test": source.test}[part]
    if not len(examples):
        raise DatasetError(
            f"{source.origin}: there is no {part} example; split=... chooses a part."
        )
    _expect_same_input(source, examples, preprocessing)
    labels = _aligned(source, examples.labels, preprocessing.classes, task)
    aligned = Examples(examples.inputs, labels, examples.rows)
    return LabelledData(
        encoded_split(preprocessing, aligned), aligned.contents(), source.origin, source.checksums
    )


def _read(
    options: Mapping[str, Any], preprocessing: Preprocessing, task: str, data_dir: str
) -> Source:
    given = {key: value for key, value in options.items() if key not in _FITTED}
    if given["name"] in _CLASSES_GIVEN:
        given |= _UNDIVIDED
        if given.get("classes") is None and task in ("multiclass", "binary"):
            given["classes"] = preprocessing.classes
    if given["name"] == "image_folder" and isinstance(preprocessing, ImagePreprocessing):
        height, width, channels = preprocessing.input_shape
        given |= {"height": height, "width": width, "colour": channels == 3}
    if given["name"] == "csv" and isinstance(preprocessing, TablePreprocessing):
        given["features"] = given.get("features") or preprocessing.columns
    meant = task if task in ("regression", "multilabel") else None
    return read_source(**given, task=meant, data_dir=data_dir)


def _expect_same_input(source: Source, examples: Examples, preprocessing: Preprocessing) -> None:
    """Refuse data whose inputs the preprocessing would misread."""
    found, wanted = _form(examples.inputs), _wanted(preprocessing)
    if found != wanted:
        raise DatasetError(
            f"{source.origin}: the examples are {found}, but the run reads {wanted}."
        )
    if isinstance(preprocessing, TablePreprocessing) and source.columns not in (
        (),
        preprocessing.columns,
    ):
        raise DatasetError(
            f"{source.origin}: the columns are {', '.join(source.columns)}, but the run reads "
            f"{', '.join(preprocessing.columns)}, in this order."
        )
    if isinstance(preprocessing, ImagePreprocessing) and source.scale != preprocessing.scale:
        raise DatasetError(
            f"{source.origin}: pixels are 0 to {1 / source.scale:.0f}, but those that the run was "
            f"trained on are 0 to {1 / preprocessing.scale:.0f}."
        )


def _form(inputs: Any) -> str:
    if isinstance(inputs, Mapping):
        return f"several inputs ({', '.join(sorted(inputs))})"
    return "texts" if isinstance(inputs, tuple) else "arrays"


def _wanted(preprocessing: Preprocessing) -> str:
    if isinstance(preprocessing, InputsPreprocessing):
        return f"several inputs ({', '.join(sorted(preprocessing.inputs))})"
    return "texts" if isinstance(preprocessing, TextPreprocessing) else "arrays"


def _aligned(source: Source, labels: NDArray[Any], names: Sequence[str], task: str) -> NDArray[Any]:
    """Return labels in the order of the model's names."""
    found = task_of_labels(labels)
    if found != ("multiclass" if task == "binary" else task):
        raise DatasetError(f"{source.origin}: the labels are {found}, but the run is {task}.")
    if task == "regression":
        if len(source.classes) != len(names):
            raise DatasetError(
                f"{source.origin}: there are {len(source.classes)} targets, but the run predicts "
                f"{len(names)}."
            )
        return labels
    if sorted(source.classes) != sorted(names):
        raise DatasetError(
            f"{source.origin}: the classes are {', '.join(source.classes)}, but those of the run "
            f"are {', '.join(names)}."
        )
    if task == "multilabel":
        return labels[:, [source.classes.index(name) for name in names]]
    return np.array([names.index(name) for name in source.classes], np.int64)[labels]

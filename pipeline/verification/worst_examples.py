"""Test examples to inspect: where two forward passes differ most, and confident mistakes."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipeline.data.dataset import Split
from pipeline.tasks import Task

MOST = 6


@dataclass(frozen=True)
class WorstExample:
    """One test example, and the predictions of both forward passes."""

    index: int  # its index in the test set, from 0
    true: str  # its class, labels or values
    difference: float  # largest difference between two of its outputs
    # the reference's probability of each class or label, or value of each target
    keras: dict[str, float]
    scratch: dict[str, float]  # the same of the forward pass
    text: str | None  # the raw text; None for an image
    picture: str | None  # the image as a `data:` URL of a PNG; None for a text


@dataclass(frozen=True)
class Mistake:
    """One test example with a wrong prediction."""

    index: int  # its index in the test set, from 0
    true: str  # its class, labels or values
    predicted: str  # the predicted ones
    # the probability of its class; None if it has several labels or values
    probability_true: float | None
    probability_predicted: float | None  # the probability of the predicted class, likewise
    text: str | None  # the raw text; None for an image
    picture: str | None  # the image as a `data:` URL of a PNG; None for a text


def worst_examples(
    task: Task, keras: np.ndarray, scratch: np.ndarray, test: Split, classes: Sequence[str]
) -> tuple[WorstExample, ...]:
    """Return the few examples with the largest difference, in descending order (NaN first).

    Args:
        keras: reference outputs `(N, outputs)`.
        scratch: outputs of the forward pass `(N, outputs)`.
        classes: names of the classes, labels or targets.
    """
    difference = np.abs(keras.astype(np.float64) - scratch.astype(np.float64)).max(axis=1)
    order = np.argsort(-np.nan_to_num(difference, nan=np.inf), kind="stable")[:MOST]
    theirs, ours = task.by_name(keras[order]), task.by_name(scratch[order])
    return tuple(
        WorstExample(
            index=index,
            true=task.truth(test.labels[index], classes),
            difference=float(difference[index]),
            keras=dict(zip(classes, map(float, theirs[place]), strict=True)),
            scratch=dict(zip(classes, map(float, ours[place]), strict=True)),
            text=_text(test, index),
            picture=_picture(test, index),
        )
        for place, index in enumerate(map(int, order))
    )


def confident_mistakes(
    task: Task, outputs: np.ndarray, test: Split, classes: Sequence[str]
) -> tuple[Mistake, ...]:
    """Return the few most serious wrong predictions, in descending order.

    Args:
        outputs: `(N, outputs)`.
        classes: names of the classes, labels or targets.
    """
    return tuple(
        _mistake(task, outputs[index], test, index, classes)
        for index in map(int, task.worst(outputs, test.labels)[:MOST])
    )


def _mistake(
    task: Task, output: np.ndarray, test: Split, index: int, classes: Sequence[str]
) -> Mistake:
    label = test.labels[index]
    predicted, true = task.certainty(output, label) or (None, None)
    return Mistake(
        index=index,
        true=task.truth(label, classes),
        predicted=task.prediction(output, classes),
        probability_true=true,
        probability_predicted=predicted,
        text=_text(test, index),
        picture=_picture(test, index),
    )


def _text(test: Split, index: int) -> str | None:
    return None if test.texts is None else test.texts[index]


def _picture(test: Split, index: int) -> str | None:
    """Return a `(H, W, 1)` or `(H, W, 3)` image in [0, 1] as a `data:` URL; else None."""
    if np.ndim(test.inputs) != 4 or test.inputs.shape[-1] not in (1, 3):
        return None
    pixels = np.rint(np.clip(test.inputs[index], 0, 1) * 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"

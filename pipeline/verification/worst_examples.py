"""Test examples to inspect: where two forward passes differ most, and confident mistakes."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipeline.data.dataset import Split

MOST = 6


@dataclass(frozen=True)
class WorstExample:
    """One test example, and the predictions of both forward passes.

    Attributes:
        index: its index in the test set, from 0.
        true: its class.
        difference: largest difference between two of its probabilities.
        keras: the reference's probability of each class.
        scratch: the forward pass's probability of each class.
        text: the raw text; None for an image.
        picture: the image as a `data:` URL of a PNG; None for a text.
    """

    index: int
    true: str
    difference: float
    keras: dict[str, float]
    scratch: dict[str, float]
    text: str | None
    picture: str | None


@dataclass(frozen=True)
class Mistake:
    """One test example that was misclassified.

    Attributes:
        index: its index in the test set, from 0.
        true: its class.
        predicted: the predicted class.
        probability_true: the probability of its class.
        probability_predicted: the probability of the predicted class.
        text: the raw text; None for an image.
        picture: the image as a `data:` URL of a PNG; None for a text.
    """

    index: int
    true: str
    predicted: str
    probability_true: float
    probability_predicted: float
    text: str | None
    picture: str | None


def worst_examples(
    keras: np.ndarray, scratch: np.ndarray, test: Split, classes: Sequence[str]
) -> tuple[WorstExample, ...]:
    """Return the few examples with the largest difference, in descending order (NaN first).

    Args:
        keras: reference probabilities `(N, C)`.
        scratch: probabilities of the forward pass `(N, C)`.
        test: the N examples.
        classes: C names.
    """
    difference = np.abs(keras.astype(np.float64) - scratch.astype(np.float64)).max(axis=1)
    order = np.argsort(-np.nan_to_num(difference, nan=np.inf), kind="stable")[:MOST]
    return tuple(
        WorstExample(
            index=index,
            true=classes[int(test.labels[index])],
            difference=float(difference[index]),
            keras=dict(zip(classes, map(float, keras[index]), strict=True)),
            scratch=dict(zip(classes, map(float, scratch[index]), strict=True)),
            text=_text(test, index),
            picture=_picture(test, index),
        )
        for index in map(int, order)
    )


def confident_mistakes(
    probabilities: np.ndarray, test: Split, classes: Sequence[str]
) -> tuple[Mistake, ...]:
    """Return the few wrong predictions with the highest probability, in descending order.

    Args:
        probabilities: `(N, C)`.
        test: the N examples.
        classes: C names.
    """
    predicted, highest = probabilities.argmax(axis=1), probabilities.max(axis=1)
    (wrong,) = np.nonzero((predicted != test.labels) & np.isfinite(highest))
    order = wrong[np.argsort(-highest[wrong], kind="stable")][:MOST]
    return tuple(
        Mistake(
            index=index,
            true=classes[int(test.labels[index])],
            predicted=classes[int(predicted[index])],
            probability_true=float(probabilities[index, test.labels[index]]),
            probability_predicted=float(highest[index]),
            text=_text(test, index),
            picture=_picture(test, index),
        )
        for index in map(int, order)
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

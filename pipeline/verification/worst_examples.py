"""The test examples on which two forward passes differ most, as a person can look at them."""

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
    """One test example, and what both sides say of it.

    Attributes:
        index: its place in the test set, from 0.
        true: its class.
        difference: the largest between two of its probabilities.
        keras: the reference's probability of each class.
        scratch: the forward pass's.
        text: the raw text; None for an image.
        picture: the image as a `data:` address of a PNG; None for a text.
    """

    index: int
    true: str
    difference: float
    keras: dict[str, float]
    scratch: dict[str, float]
    text: str | None
    picture: str | None


def worst_examples(
    keras: np.ndarray, scratch: np.ndarray, test: Split, classes: Sequence[str]
) -> tuple[WorstExample, ...]:
    """The few examples with the largest difference, the largest first (NaN above all).

    Args:
        keras: reference probabilities `(N, C)`.
        scratch: the forward pass's `(N, C)`.
        test: the N examples.
        classes: C names.
    """
    difference = np.abs(keras.astype(np.float64) - scratch.astype(np.float64)).max(axis=1)
    order = np.argsort(-np.nan_to_num(difference, nan=np.inf), kind="stable")[:MOST]

    def example(index: int) -> WorstExample:
        return WorstExample(
            index=index,
            true=classes[int(test.labels[index])],
            difference=float(difference[index]),
            keras=dict(zip(classes, map(float, keras[index]), strict=True)),
            scratch=dict(zip(classes, map(float, scratch[index]), strict=True)),
            text=test.texts[index] if test.texts is not None else None,
            picture=_picture(test.inputs[index]) if test.texts is None else None,
        )

    return tuple(example(int(index)) for index in order)


def _picture(image: np.ndarray) -> str:
    """A `(H, W, 1)` or `(H, W, 3)` image in [0, 1] as an address that a page can show."""
    pixels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"

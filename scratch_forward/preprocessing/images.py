"""Scaling of images with integer pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from scratch_forward.errors import PreprocessingError
from scratch_forward.preprocessing.stored_fields import (
    class_names,
    shape_of,
    stored_fields,
    to_json,
)

_AT_ONCE = 256  # images scaled at once; a batch that fits the cache is reordered twice as fast


@dataclass(frozen=True)
class ImagePreprocessing:
    """Conversion of images with integer pixels to float32 in [0, 1].

    Attributes:
        input_shape: Height, width and channels.
        scale: Factor for raw pixels (the `scale` of Keras's Rescaling).
        classes: Class names in label order.
    """

    kind: ClassVar[Literal["image"]] = "image"

    input_shape: tuple[int, int, int]
    scale: float
    classes: tuple[str, ...]

    def encode(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Scale N images, uint8 of shape ``(N, H, W, C)``, to float32 of the same shape.

        Grey images may have the shape ``(N, H, W)``.

        Raises:
            PreprocessingError: If the images have another shape or dtype.
        """
        images = np.asarray(images)
        if images.shape[1:] == self.input_shape[:2] and self.input_shape[2] == 1:
            images = images[..., np.newaxis]
        if images.dtype != np.uint8 or images.shape[1:] != self.input_shape:
            raise PreprocessingError(
                f"Images are {images.dtype} of shape {images.shape}: expected uint8 of shape "
                f"(N, {', '.join(map(str, self.input_shape))})."
            )
        encoded = np.empty(images.shape, np.float32)
        for first in range(0, len(images), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            in_order = np.ascontiguousarray(images[part])
            np.multiply(in_order, np.float32(self.scale), out=encoded[part])
        return encoded

    def describe(self) -> str:
        """Return a phrase with the shape of an image."""
        return f"images {'x'.join(map(str, self.input_shape))}"

    def to_json(self) -> str:
        """Return all that is needed to encode and to name the classes, as JSON text."""
        return to_json(self)

    @classmethod
    def from_json(cls, text: str) -> ImagePreprocessing:
        """Parse the output of `to_json`. Raises PreprocessingError if the text is invalid."""
        stored = stored_fields(text, cls)
        shape, scale = stored["input_shape"], stored["scale"]
        if not isinstance(shape, list) or len(shape) != 3:
            raise PreprocessingError(f"input_shape={shape!r}: expected height, width, channels.")
        height, width, channels = shape_of(shape)
        if not isinstance(scale, int | float) or not 0 < scale < math.inf:
            raise PreprocessingError(f"scale={scale!r}: expected a positive number.")
        return cls((height, width, channels), float(scale), class_names(stored))

"""Layers that prepare images: other sizes, and random changes, which happen in training only."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Generator, Layer, Shape
from scratch_forward.layers.interpolation import INTERPOLATIONS, resize
from scratch_forward.layers.options import boolean, number, one_of, positive
from scratch_forward.layers.reshaping import DATA_FORMATS


class _OtherSize(Layer):
    """Images of a stated height and width."""

    def __init__(self, height: int, width: int, data_format: str | None, name: str | None) -> None:
        super().__init__(name)
        self.height = positive("height", height)
        self.width = positive("width", width)
        self.data_format = one_of("data_format", data_format or "channels_last", DATA_FORMATS)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape with the new height and width.

        Raises:
            ValueError: If the input is not a batch of images.
        """
        if len(input_shape) != 4:
            raise ValueError(f"Layer {self.name!r} takes batches of images, got {input_shape}.")
        if self.data_format == "channels_first":
            return (*input_shape[:2], self.height, self.width)
        return (input_shape[0], self.height, self.width, input_shape[3])

    def call(self, inputs: Array) -> Array:
        """Change the size, in channels-last order."""
        self.compute_output_shape(inputs.shape)
        if self.data_format == "channels_last":
            return self.to_size(inputs)
        return np.moveaxis(self.to_size(np.moveaxis(inputs, 1, -1)), -1, 1)

    def to_size(self, images: Array) -> Array:
        """Return images `(N, H, W, C)` as `(N, height, width, C)`."""
        raise NotImplementedError

    def of_same_aspect(self, images: Array) -> Array:
        """Return the largest part from the middle that has the aspect of the new size.

        Sizes are rounded down from float32, as TensorFlow rounds them.
        """
        rows, columns = images.shape[1:3]
        high = max(min(rows, _ratio(columns * self.height, self.width)), 1)
        wide = max(min(columns, _ratio(rows * self.width, self.height)), 1)
        top, left = (rows - high) // 2, (columns - wide) // 2
        return images[:, top : top + high, left : left + wide]


class Resizing(_OtherSize):
    """Images resized, `(N, H, W, C)` to `(N, height, width, C)`; see `interpolation`.

    Args:
        height: New height.
        width: New width.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"lanczos3"` or `"lanczos5"`.
        crop_to_aspect_ratio: Whether to cut images to the new aspect before.
        pad_to_aspect_ratio: Whether to pad images to the new aspect before.
        fill_mode: `"constant"`.
        fill_value: What is padded with.
        antialias: Whether the kernel is as wide as what a new pixel covers, where it shrinks.
        data_format: Where the channels are, `"channels_last"` unless given.
        name: Name of the layer.
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(height, width, data_format, name)
        self.interpolation = one_of("interpolation", interpolation, INTERPOLATIONS)
        self.crop_to_aspect_ratio = boolean("crop_to_aspect_ratio", crop_to_aspect_ratio)
        self.pad_to_aspect_ratio = boolean("pad_to_aspect_ratio", pad_to_aspect_ratio)
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise InvalidOption("pad_to_aspect_ratio", True, "false beside crop_to_aspect_ratio")
        self.fill_mode = one_of("fill_mode", fill_mode, ("constant",))
        self.fill_value = number("fill_value", fill_value)
        self.antialias = boolean("antialias", antialias)

    def to_size(self, images: Array) -> Array:
        """Cut or pad to the aspect if asked, then resize."""
        if self.crop_to_aspect_ratio:
            images = self.of_same_aspect(images)
        elif self.pad_to_aspect_ratio:
            images = self._padded(images)
        return resize(images, (self.height, self.width), self.interpolation, self.antialias)

    def _padded(self, images: Array) -> Array:
        """Return images padded on both sides to the aspect of the new size."""
        rows, columns = images.shape[1:3]
        more_rows = max(rows, _ratio(columns * self.height, self.width)) - rows
        more_columns = max(columns, _ratio(rows * self.width, self.height)) - columns
        around = [(0, 0), (more_rows // 2,) * 2, (more_columns // 2,) * 2, (0, 0)]
        return np.pad(images, around, constant_values=self.fill_value)


class CenterCrop(_OtherSize):
    """The middle of images, `(N, H, W, C)` to `(N, height, width, C)`.

    Images smaller than that are cut to its aspect and resized bilinearly.

    Args:
        height: New height.
        width: New width.
        data_format: Where the channels are, `"channels_last"` unless given.
        name: Name of the layer.
    """

    def __init__(
        self, height: int, width: int, data_format: str | None = None, name: str | None = None
    ) -> None:
        super().__init__(height, width, data_format, name)

    def to_size(self, images: Array) -> Array:
        """Cut the middle out, or resize."""
        rows, columns = images.shape[1:3]
        if rows < self.height or columns < self.width:
            return resize(self.of_same_aspect(images), (self.height, self.width), "bilinear")
        top, left = (rows - self.height) // 2, (columns - self.width) // 2
        return images[:, top : top + self.height, left : left + self.width]


def _ratio(product: int, divisor: int) -> int:
    """Divide and round down, in float32."""
    return int(np.float32(product) / np.float32(divisor))


class RandomImageLayer(Layer):
    """`y = x` at inference: it changes images at random in training, which is not computed.

    Shapes: any, kept. Keras drops a mask here.

    Attributes:
        options: What Keras's layer takes; none of it matters at inference.
    """

    options: tuple[str, ...] = ()

    def __init__(self, *positional: Any, name: str | None = None, **options: Any) -> None:
        super().__init__(name)
        given = dict(zip(self.options, positional, strict=False)) | options
        for option in [option for option in given if option not in self.options]:
            raise InvalidOption(option, given[option], "one of " + ", ".join(self.options))

    @classmethod
    def option_names(cls) -> tuple[str, ...]:
        """Return the options that may stand in a configuration."""
        return (*cls.options, "name")

    def apply(self, inputs: Array, _mask: Any, generator: Generator | None, /, **_: Any) -> Array:
        """Pass the images on.

        Raises:
            ValueError: When training.
        """
        if generator is not None:
            raise ValueError(f"Layer {self.name!r} changes images in training: not supported.")
        return inputs


_COMMON = ("data_format", "seed", "bounding_box_format")
_WITH_FACTOR = ("factor", "value_range", *_COMMON)
_FILLED = ("fill_mode", "interpolation", "fill_value", *_COMMON)
_RANDOM = {
    "RandomFlip": ("mode", *_COMMON),
    "RandomRotation": ("factor", *_FILLED),
    "RandomZoom": ("height_factor", "width_factor", *_FILLED),
    "RandomTranslation": ("height_factor", "width_factor", *_FILLED),
    "RandomShear": ("x_factor", "y_factor", *_FILLED),
    "RandomPerspective": ("factor", "scale", *_FILLED),
    "RandomElasticTransform": ("factor", "scale", "value_range", *_FILLED),
    "RandomErasing": ("factor", "scale", "fill_value", "value_range", *_COMMON),
    "RandomGaussianBlur": ("factor", "kernel_size", "sigma", "value_range", *_COMMON),
    "RandomColorJitter": (
        *("value_range", "brightness_factor", "contrast_factor", "saturation_factor"),
        *("hue_factor", *_COMMON),
    ),
    **dict.fromkeys(
        (
            *("RandomContrast", "RandomBrightness", "RandomHue", "RandomSaturation"),
            *("RandomSharpness", "RandomColorDegeneration", "RandomPosterization"),
            *("RandomInvert", "RandomGrayscale"),
        ),
        _WITH_FACTOR,
    ),
    "MixUp": ("alpha", *_COMMON),
    "CutMix": ("factor", *_COMMON),
    "RandAugment": ("value_range", "num_ops", "factor", "interpolation", *_COMMON),
    "AugMix": (
        *("value_range", "num_chains", "chain_depth", "factor", "alpha", "all_ops"),
        *("interpolation", *_COMMON),
    ),
}
RANDOM_IMAGE_LAYERS: dict[str, type[RandomImageLayer]] = {
    name: type(name, (RandomImageLayer,), {"options": options, "__doc__": RandomImageLayer.__doc__})
    for name, options in _RANDOM.items()
}

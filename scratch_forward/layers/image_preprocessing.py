"""Image preprocessing: resizing and cropping, and random changes that only happen in training."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Generator, Layer, Shape
from scratch_forward.layers.interpolation import INTERPOLATIONS, resize
from scratch_forward.layers.options import boolean, data_format_option, number, one_of, positive


class _OtherSize(Layer):
    """Base class of layers that return images of a given height and width."""

    def __init__(self, height: int, width: int, data_format: str | None, name: str | None) -> None:
        super().__init__(name)
        self.height = positive("height", height)
        self.width = positive("width", width)
        self.data_format = data_format_option(data_format)

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
        """Change the size, with the channels as the last axis."""
        self.compute_output_shape(inputs.shape)
        if self.data_format == "channels_last":
            return self.to_size(inputs)
        return np.moveaxis(self.to_size(np.moveaxis(inputs, 1, -1)), -1, 1)

    def to_size(self, images: Array) -> Array:
        """Convert images `(N, H, W, C)` to `(N, height, width, C)`."""
        raise NotImplementedError

    def of_same_aspect(self, images: Array) -> Array:
        """Return the largest central crop with the aspect ratio of the new size.

        Sizes are rounded down in float32, as in TensorFlow.
        """
        rows, columns = images.shape[1:3]
        high = max(min(rows, _ratio(columns * self.height, self.width)), 1)
        wide = max(min(columns, _ratio(rows * self.width, self.height)), 1)
        top, left = (rows - high) // 2, (columns - wide) // 2
        return images[:, top : top + high, left : left + wide]


class Resizing(_OtherSize):
    """Resizes images, `(N, H, W, C)` to `(N, height, width, C)`. See `interpolation`.

    Source: `keras.layers.Resizing` of Keras 3.

    Args:
        height: New height.
        width: New width.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"lanczos3"` or `"lanczos5"`.
        crop_to_aspect_ratio: Whether to crop images to the new aspect ratio first.
        pad_to_aspect_ratio: Whether to pad images to the new aspect ratio first.
        fill_mode: Must be `"constant"`.
        fill_value: Value of the padding.
        antialias: Whether to widen the kernel to the area of a new pixel when shrinking.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
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
        """Crop or pad to the aspect ratio if requested, then resize."""
        if self.crop_to_aspect_ratio:
            images = self.of_same_aspect(images)
        elif self.pad_to_aspect_ratio:
            images = self._padded(images)
        return resize(images, (self.height, self.width), self.interpolation, self.antialias)

    def _padded(self, images: Array) -> Array:
        """Pad images on both sides to the aspect ratio of the new size."""
        rows, columns = images.shape[1:3]
        more_rows = max(rows, _ratio(columns * self.height, self.width)) - rows
        more_columns = max(columns, _ratio(rows * self.width, self.height)) - columns
        around = [(0, 0), (more_rows // 2,) * 2, (more_columns // 2,) * 2, (0, 0)]
        return np.pad(images, around, constant_values=self.fill_value)


class CenterCrop(_OtherSize):
    """The center of images, `(N, H, W, C)` to `(N, height, width, C)`.

    Smaller images are cropped to the new aspect ratio and resized bilinearly.

    Source: `keras.layers.CenterCrop` of Keras 3.

    Args:
        height: New height.
        width: New width.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
    """

    def __init__(
        self, height: int, width: int, data_format: str | None = None, name: str | None = None
    ) -> None:
        super().__init__(height, width, data_format, name)

    def to_size(self, images: Array) -> Array:
        """Crop the center, or resize smaller images."""
        rows, columns = images.shape[1:3]
        if rows < self.height or columns < self.width:
            return resize(self.of_same_aspect(images), (self.height, self.width), "bilinear")
        top, left = (rows - self.height) // 2, (columns - self.width) // 2
        return images[:, top : top + self.height, left : left + self.width]


def _ratio(product: int, divisor: int) -> int:
    """Divide and round down, in float32."""
    return int(np.float32(product) / np.float32(divisor))


class RandomImageLayer(Layer):
    """`y = x` at inference. In training, Keras changes images at random; this is not supported.

    Shapes: `(N, H, W, C)` to `(N, H, W, C)`. As in Keras, the mask is dropped.

    Source: the layer of the same name in `keras.layers` of Keras 3.

    Attributes:
        options: Arguments of the Keras layer. They have no effect at inference.
    """

    options: tuple[str, ...] = ()

    def __init__(self, *positional: Any, name: str | None = None, **options: Any) -> None:
        super().__init__(name)
        given = dict(zip(self.options, positional, strict=False)) | options
        for option in [option for option in given if option not in self.options]:
            raise InvalidOption(option, given[option], "one of " + ", ".join(self.options))

    @classmethod
    def option_names(cls) -> tuple[str, ...]:
        """Return the options that a configuration may contain."""
        return (*cls.options, "name")

    def apply(self, inputs: Array, _mask: Any, generator: Generator | None, /, **_: Any) -> Array:
        """Return the images.

        Raises:
            ValueError: In training.
        """
        if generator is not None:
            raise ValueError(f"Layer {self.name!r} changes images in training: not supported.")
        return inputs


class RandomCrop(RandomImageLayer):
    """`y = x` at inference, of any size. In training, Keras crops images at random.

    Keras nevertheless states the shape `(N, height, width, C)`, for which later layers are built.

    Source: `keras.layers.RandomCrop` of Keras 3.
    """

    options = ("height", "width", "data_format", "seed", "bounding_box_format")

    def __init__(self, *positional: Any, name: str | None = None, **options: Any) -> None:
        super().__init__(*positional, name=name, **options)
        given = dict(zip(self.options, positional, strict=False)) | options
        self.size = tuple(positive(side, given.get(side)) for side in ("height", "width"))
        self.data_format = data_format_option(given.get("data_format"))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape after cropping."""
        if self.data_format == "channels_first":
            return (*input_shape[:-2], *self.size)
        return (*input_shape[:-3], *self.size, input_shape[-1])


class AutoContrast(Layer):
    """Stretches each channel of each image to the whole range of values, also at inference.

    A channel with a single value stays as it is.

    Shapes: `(N, H, W, C)` to `(N, H, W, C)`. The mask is dropped.

    Source: `keras.layers.AutoContrast` of Keras 3.

    Args:
        value_range: Smallest and largest value of an image.
        data_format: Ignored, as in Keras: axes 1 and 2 are stretched together.
        bounding_box_format: Ignored.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        bounding_box_format: str | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        data_format_option(data_format)
        if not isinstance(value_range, list | tuple) or len(value_range) != 2:
            raise InvalidOption("value_range", value_range, "two numbers")
        low, high = sorted(number("value_range", value) for value in value_range)
        if low == high:
            raise InvalidOption("value_range", value_range, "two different numbers")
        self.value_range = (low, high)

    def call(self, inputs: Array) -> Array:
        """Stretch, by way of the range from 0 to 255."""
        images = _rescaled(inputs, self.value_range, (0.0, 255.0))
        low = images.min(axis=(1, 2), keepdims=True)
        high = images.max(axis=(1, 2), keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = self.dtype.type(255) / (high - low)
            stretched = np.clip(images * scale - low * scale, 0, 255)
        results = _rescaled(stretched, (0.0, 255.0), self.value_range)
        return np.where(np.isnan(results), inputs, results)


def _rescaled(images: Array, old: tuple[float, float], new: tuple[float, float]) -> Array:
    """Map one range of values to another."""
    if old == new:
        return images
    dtype = images.dtype.type
    unit = (images - dtype(old[0])) / dtype(old[1] - old[0])
    return unit * dtype(new[1] - new[0]) + dtype(new[0])


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
    "Solarization": ("addition_factor", "threshold_factor", "value_range", *_COMMON),
    "Equalization": ("value_range", "bins", *_COMMON),
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
} | {"RandomCrop": RandomCrop}

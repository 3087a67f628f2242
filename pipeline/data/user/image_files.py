"""One PNG or JPEG file to pixels: upright, without transparency, of one size, eight bits."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import DatasetError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True, eq=False)
class Decoded:
    """An image.

    Attributes:
        pixels: uint8 of shape ``(H, W, C)``.
        size: height and width that the file had.
    """

    pixels: NDArray[np.uint8]
    size: tuple[int, int]


def decode(content: bytes, path: Path, shape: tuple[int, int, int]) -> Decoded:
    """Decode an image file and bring it to a shape.

    It is turned as its EXIF orientation says, laid on white where it is transparent, reduced from
    16 bits to 8, converted to grey or colour and stretched (bicubic, averaging when it shrinks).

    Args:
        content: the whole file.
        path: where it comes from, for errors.
        shape: height, width and channels (1 or 3) wanted.

    Raises:
        DatasetError: it is damaged, or no PNG or JPEG.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    height, width, channels = shape
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as file:
            rows, columns = file.height, file.width
            # A JPEG file is decoded at a half, a quarter or an eighth where that is still twice
            # what is wanted: several times faster for photographs.
            file.draft(None, (2 * max(height, width),) * 2)
            upright = ImageOps.exif_transpose(file)
        plain = _without_transparency(_eight_bits(upright))
        shaped = plain.convert("L" if channels == 1 else "RGB").resize(
            (width, height), Image.Resampling.BICUBIC
        )
    except UnidentifiedImageError as error:
        raise DatasetError(f"{path} cannot be read: it is neither PNG nor JPEG.") from error
    except (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError) as error:
        raise DatasetError(f"{path} cannot be read as an image: {error}.") from error
    return Decoded(np.asarray(shaped, np.uint8).reshape(shape), (rows, columns))


def _eight_bits(image: Image) -> Image:
    """Bring grey values of 0 to 65535 to 0 to 255."""
    from PIL.Image import fromarray

    if not image.mode.startswith("I"):
        return image
    return fromarray(np.rint(np.asarray(image) / 257).astype(np.uint8))


def _without_transparency(image: Image) -> Image:
    """Lay an image on white."""
    from PIL.Image import alpha_composite, new

    if not image.has_transparency_data:
        return image
    layer = image.convert("RGBA")
    return alpha_composite(new("RGBA", layer.size, "white"), layer)

"""Decodes one PNG or JPEG file: upright, opaque, resized, 8 bits per channel."""

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
MOST_PIXELS = 40_000_000  # at 4 bytes each, and up to three copies of some during a conversion


@dataclass(frozen=True, eq=False)
class Decoded:
    """A decoded image.

    Attributes:
        pixels: uint8 of shape ``(H, W, C)``.
        size: original height and width in pixels.
        brightest: largest value of a 16-bit greyscale file; None for others.
    """

    pixels: NDArray[np.uint8]
    size: tuple[int, int]
    brightest: int | None = None


def decode(content: bytes, path: Path, shape: tuple[int, int, int]) -> Decoded:
    """Decode an image file and convert it to a shape.

    The image is rotated by its EXIF orientation, composited on white if transparent, reduced from
    16 bits to 8, converted to greyscale or RGB, and stretched (bicubic, averaging if it shrinks).

    Args:
        content: the whole file.
        path: source of the content, for errors.
        shape: target height, width and channels (1 or 3).

    Raises:
        DatasetError: when the image is damaged, too large, or not PNG or JPEG.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit counts pixels before `draft`
    height, width, channels = shape
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as file:
            rows, columns = file.height, file.width
            # A JPEG file is decoded at 1/2, 1/4 or 1/8 size if that is still twice the target size:
            # several times faster for photographs.
            file.draft(None, (2 * max(height, width),) * 2)
            _expect_size(file.width * file.height, rows, columns, path)
            brightest = int(np.asarray(file).max()) if _has_16_bits(file) else None
            upright = ImageOps.exif_transpose(file)
        plain = _without_transparency(_eight_bits(upright))
        shaped = plain.convert("L" if channels == 1 else "RGB").resize(
            (width, height), Image.Resampling.BICUBIC
        )
    except UnidentifiedImageError as error:
        raise DatasetError(f"{path} cannot be read: it is neither PNG nor JPEG.") from error
    except (OSError, SyntaxError, ValueError, struct.error) as error:
        raise DatasetError(f"{path} cannot be read as an image: {error}.") from error
    return Decoded(np.asarray(shaped, np.uint8).reshape(shape), (rows, columns), brightest)


def _expect_size(pixels: int, rows: int, columns: int, path: Path) -> None:
    """Refuse an image that would need a gigabyte of memory, before it is decoded."""
    if pixels > MOST_PIXELS:
        raise DatasetError(
            f"{path} has {rows:,} x {columns:,} pixels: expected at most {MOST_PIXELS:,}; make it "
            "smaller first."
        )


def _has_16_bits(image: Image) -> bool:
    return image.mode.startswith("I")


def _eight_bits(image: Image) -> Image:
    """Map grey values from 0..65535 to 0..255."""
    from PIL.Image import fromarray

    if not _has_16_bits(image):
        return image
    return fromarray(np.rint(np.asarray(image) / 257).astype(np.uint8))


def _without_transparency(image: Image) -> Image:
    """Composite an image on white."""
    from PIL.Image import alpha_composite, new

    if not image.has_transparency_data:
        return image
    layer = image.convert("RGBA")
    return alpha_composite(new("RGBA", layer.size, "white"), layer)

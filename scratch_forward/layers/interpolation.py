"""Interpolation for image resizing: the pixels and weights from which each new pixel is computed.

An axis is resized by a matrix `(new size, size)`, and an image by `rows @ image @ columns.T`. Pixel
i covers `[i, i + 1)`, so the center of new pixel p is at `(p + 0.5) * size / new size`. Positions
and weights are those of TensorFlow's kernels, which round them to float32.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scratch_forward.layers.base import Array

_TABLE_SIZE = 1024  # TensorFlow tabulates the cubic kernel at multiples of 1/1024
_CUBIC = -0.5  # parameter of Keys's kernel
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


def resize(
    images: Array, size: tuple[int, int], interpolation: str, antialias: bool = False
) -> Array:
    """Resize images.

    Args:
        images: Float array `(N, H, W, C)`.
        size: New height and width.
        interpolation: One of `INTERPOLATIONS`.
        antialias: Whether to widen the kernel to the area of a new pixel when shrinking.

    Returns:
        Array `(N, *size, C)` with the dtype of the images.
    """
    if images.shape[1:3] == size:
        return images
    rows, columns = (
        axis_matrix(old, new, interpolation, antialias)
        for old, new in zip(images.shape[1:3], size, strict=True)
    )
    wide = np.einsum("ph,nhwc->npwc", rows, images.astype(np.float64), optimize=True)
    return np.einsum("qw,npwc->npqc", columns, wide, optimize=True).astype(images.dtype)


def axis_matrix(size: int, new_size: int, interpolation: str, antialias: bool = False) -> Array:
    """Return the matrix `(new_size, size)` that resizes an axis."""
    if interpolation == "nearest":
        places = np.arange(new_size, dtype=np.float32) + np.float32(0.5)
        nearest = np.floor(places * _scale(size, new_size)).astype(int)
        return np.eye(size)[np.minimum(nearest, size - 1)]
    if interpolation == "bilinear" and not antialias:
        return _bilinear(size, new_size)
    if interpolation == "bicubic" and not antialias:
        return _bicubic(size, new_size)
    return _by_kernel(size, new_size, *_KERNELS[interpolation], antialias)


def _scale(size: int, new_size: int) -> np.float32:
    return np.float32(size) / np.float32(new_size)


def _places(size: int, new_size: int) -> tuple[Array, Array]:
    """Return the pixel at or before the center of each new pixel, and the distance behind it."""
    half = np.float32(0.5)
    middles = (np.arange(new_size, dtype=np.float32) + half) * _scale(size, new_size) - half
    before = np.floor(middles)
    return before.astype(int), middles - before


def _bilinear(size: int, new_size: int) -> Array:
    """`(1 - d) * x[i] + d * x[i + 1]`, where d is the distance of a new pixel behind pixel i."""
    before, distance = _places(size, new_size)
    matrix = np.zeros((new_size, size))
    rows = np.arange(new_size)
    matrix[rows, np.maximum(before, 0)] += 1 - distance.astype(np.float64)
    matrix[rows, np.clip(before + (distance > 0), 0, size - 1)] += distance
    return matrix


def _bicubic(size: int, new_size: int) -> Array:
    """Keys's cubic convolution over four pixels. Pixels outside the image are excluded."""
    before, distance = _places(size, new_size)
    rounded = np.rint(distance * _TABLE_SIZE) / _TABLE_SIZE
    matrix = np.zeros((new_size, size))
    rows = np.arange(new_size)
    for offset in (-1, 0, 1, 2):
        place = before + offset
        inside = (place >= 0) & (place < size)
        weights = _keys_cubic(np.abs(rounded - offset)).astype(np.float32)
        matrix[rows[inside], place[inside]] = weights[inside]
    return matrix / matrix.sum(axis=1, keepdims=True)


def _keys_cubic(x: Array) -> Array:
    """Keys's kernel as a function of the distance, 0 from 2 on (Keys, IEEE ASSP 29, 1981)."""
    near = ((_CUBIC + 2) * x - (_CUBIC + 3)) * x * x + 1
    far = ((_CUBIC * x - 5 * _CUBIC) * x + 8 * _CUBIC) * x - 4 * _CUBIC
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _triangle(x: Array) -> Array:
    """`1 - x`, and 0 from 1 on."""
    return np.maximum(1 - x, 0)


def _lanczos(radius: int) -> Callable[[Array], Array]:
    """`sinc(x) * sinc(x / radius)`, and 0 beyond the radius."""

    def kernel(x: Array) -> Array:
        return np.where(x > radius, 0.0, np.where(x <= 1e-3, 1.0, np.sinc(x) * np.sinc(x / radius)))

    return kernel


_KERNELS: dict[str, tuple[Callable[[Array], Array], int]] = {
    "bilinear": (_triangle, 1),
    "bicubic": (_keys_cubic, 2),
    "lanczos3": (_lanczos(3), 3),
    "lanczos5": (_lanczos(5), 5),
}


def _by_kernel(
    size: int, new_size: int, kernel: Callable[[Array], Array], radius: int, antialias: bool
) -> Array:
    """Weight pixels by a kernel of the distance between centers. The weights sum to 1."""
    inverse = np.float32(1) / (np.float32(new_size) / np.float32(size))
    width = max(float(inverse), 1.0) if antialias else 1.0
    middles = (np.arange(new_size, dtype=np.float32) + np.float32(0.5)) * inverse
    pixels = np.arange(size, dtype=np.float32) + np.float32(0.5)
    distance = np.abs(pixels[None] - middles[:, None]).astype(np.float64)
    weights = np.where(distance <= radius * width, kernel(distance / width), 0.0)
    return weights / weights.sum(axis=1, keepdims=True)

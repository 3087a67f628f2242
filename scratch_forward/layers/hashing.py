"""Categories by hashing: `Hashing` and `HashedCrossing`."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Layer, Shape
from scratch_forward.layers.categories import ENCODINGS, encoded, encoded_shape
from scratch_forward.layers.fingerprints import farm_hash, joined, sip_hash
from scratch_forward.layers.options import one_of, positive

Salt = tuple[int, int] | list[int] | int | None
_CROSSING_KEY = 0xDECAFCAFFE  # the default of tf.sparse.cross_hashed
_INTEGERS = ("int64", "int32")
_FLOATS = ("float32", "float16", "bfloat16", "float64")


def salt_option(salt: Salt) -> tuple[int, int] | None:
    """Return the two halves of a key, or None.

    Raises:
        InvalidOption: For anything but an integer, two integers or None.
    """
    if salt is None:
        return None
    halves = [salt, salt] if isinstance(salt, int) else salt
    if (
        not isinstance(halves, list | tuple)
        or len(halves) != 2
        or any(isinstance(half, bool) or not isinstance(half, int) for half in halves)
    ):
        raise InvalidOption("salt", salt, "an integer or two of them")
    return halves[0], halves[1]


def bucket(value: str | bytes | int, count: int, salt: tuple[int, int] | None) -> int:
    """Return the hash of a string, or of a number in decimal, from 0 to `count - 1`."""
    text = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
    return (farm_hash(text) if salt is None else sip_hash(text, salt)) % count


def _elements(inputs: Any) -> tuple[list[str | bytes | int], tuple[int, ...]]:
    """Return the strings or integers of an array as a list, and its shape. Floats are truncated."""
    array = np.asarray(inputs)
    if array.dtype.kind == "f":
        array = array.astype(np.int64)
    items = array.ravel().tolist()
    wrong = [item for item in items if not isinstance(item, str | bytes | int)]
    if wrong:
        raise ValueError(f"Expected strings or numbers, got {wrong[0]!r}.")
    return items, array.shape


class _Hashed(Layer):
    """Base class of layers that return categories by hashing."""

    call_arguments = ("inputs",)

    def __init__(
        self, num_bins: int, output_mode: str, sparse: bool, dtype: Any, name: str | None
    ) -> None:
        super().__init__(name)
        self.num_bins = positive("num_bins", num_bins)
        self.output_mode = output_mode
        one_of("sparse", sparse, (False,))
        allowed = _INTEGERS if output_mode == "int" else _FLOATS
        policy = dtype.get("config", {}).get("name") if isinstance(dtype, dict) else dtype
        self.bin_dtype = one_of("dtype", policy or allowed[0], allowed)

    def convert(self, inputs: Any) -> Any:
        """Return the input unchanged."""
        return inputs

    def _encoded(self, bins: Array) -> Array:
        if self.output_mode == "int":
            return bins.astype(self.bin_dtype)
        return encoded(bins, self.output_mode, self.num_bins, self.dtype)

    def _encoded_shape(self, shape: Shape) -> Shape:
        if self.output_mode == "int":
            return shape
        return encoded_shape(shape, self.output_mode, self.num_bins)


class Hashing(_Hashed):
    """The hash of each string or integer, from 0 to `num_bins - 1`.

    Integers are hashed as decimal text, and floats are truncated first.

    Shapes: `(N, ...)` to int64 bins `(N, ...)`. For other modes than `"int"`, see
    `CategoryEncoding`.

    Source: `keras.layers.Hashing` of Keras 3.

    Args:
        num_bins: Number of bins.
        mask_value: Value that gets bin 0, which no other value gets then.
        salt: Key of SipHash. By default FarmHash is used.
        output_mode: `"int"`, `"one_hot"`, `"multi_hot"` or `"count"`.
        sparse: Must be False.
        dtype: Dtype of the bins: `"int64"` (the default) or `"int32"`.
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: str | int | None = None,
        salt: Salt = None,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        one_of("output_mode", output_mode, ("int", *ENCODINGS))
        super().__init__(num_bins, output_mode, sparse, dtype, name)
        self.mask_value = mask_value
        self.salt = salt_option(salt)

    def call(self, inputs: Any) -> Array:
        """Hash and encode."""
        items, shape = _elements(inputs)
        masked = self.mask_value is not None and self.num_bins > 1
        bins = [self._bin(item, masked) for item in items]
        return self._encoded(np.array(bins, np.int64).reshape(shape))

    def _bin(self, item: str | bytes | int, masked: bool) -> int:
        """Return the bin of one value. With a mask value, bin 0 is kept for it."""
        if not masked:
            return bucket(item, self.num_bins, self.salt)
        text = item.decode("utf-8", "surrogateescape") if isinstance(item, bytes) else item
        return 0 if text == self.mask_value else 1 + bucket(item, self.num_bins - 1, self.salt)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input, or that of the encoded vectors."""
        return self._encoded_shape(input_shape)


class HashedCrossing(_Hashed):
    """The hash of each combination of the values of several inputs, from 0 to `num_bins - 1`.

    Shapes: a list of strings or integers `(N,)` or `(N, 1)` to int64 bins of the same shape, or to
    `(N, num_bins)` with `"one_hot"`.

    Source: `keras.layers.HashedCrossing` of Keras 3.

    Args:
        num_bins: Number of bins.
        output_mode: `"int"` or `"one_hot"`.
        sparse: Must be False.
        dtype: Dtype of the bins: `"int64"` (the default) or `"int32"`.
    """

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        one_of("output_mode", output_mode, ("int", "one_hot"))
        super().__init__(num_bins, output_mode, sparse, dtype, name)

    def call(self, inputs: Any) -> Array:
        """Hash the combinations and encode.

        Raises:
            ValueError: If there are not several inputs of one shape `(N,)` or `(N, 1)`.
        """
        shapes = {np.shape(item) for item in inputs}
        shape = next(iter(shapes), ())
        if len(inputs) < 2 or len(shapes) > 1 or len(shape) > 2 or shape[1:] not in ((), (1,)):
            raise ValueError(
                f"Layer {self.name!r} takes at least two inputs of the same shape, (N,) or (N, 1), "
                f"got {sorted(shapes)}."
            )
        if any(np.asarray(item).dtype.kind == "f" for item in inputs):
            raise ValueError(f"Layer {self.name!r} takes strings or integers, got floats.")
        columns = [_elements(item)[0] for item in inputs]
        bins = [_crossed(values) % self.num_bins for values in zip(*columns, strict=True)]
        return self._encoded(np.array(bins, np.int64).reshape(shape))

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape of one input, or that of the encoded vectors."""
        return self._encoded_shape(input_shape[0])


def _crossed(values: tuple[str | bytes | int, ...]) -> int:
    """Return the fingerprint of a combination. Integers count as they are."""
    result = _CROSSING_KEY
    for value in values:
        if isinstance(value, int):
            result = joined(result, value % 2**64)
        else:
            text = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
            result = joined(result, farm_hash(text))
    return result

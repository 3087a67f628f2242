"""Sizes, padding and strides of a convolution."""

from typing import Literal, NamedTuple, Self

import numpy as np

from scratch_forward.kernels.runtime.workspace import Workspace

Pair = tuple[int, int]
Padding = Literal["valid", "same"] | tuple[Pair, Pair]


def out_and_padding(size: int, extent: int, stride: int, padding: str) -> tuple[int, Pair]:
    """Return the output size and the padding (before, after) of one dimension, as in Keras.

    "same" gives `ceil(size / stride)` outputs; an odd padded pixel comes last. "valid" has no
    padding. `extent` is the reach of the kernel, `(kernel - 1) * dilation + 1`.
    """
    if padding == "valid":
        return (size - extent) // stride + 1, (0, 0)
    out = -(-size // stride)
    total = max((out - 1) * stride + extent - size, 0)
    return out, (total // 2, total - total // 2)


class Geometry(NamedTuple):
    """Sizes of one 2-D convolution. Pairs are (rows, columns)."""

    size: Pair
    channels: int
    kernel: Pair
    filters: int
    strides: Pair
    dilation: Pair
    groups: int
    padding: tuple[Pair, Pair]
    out: Pair

    @classmethod
    def of(
        cls,
        kernel_shape: tuple[int, ...],
        input_shape: tuple[int, ...],
        strides: Pair = (1, 1),
        padding: Padding = "valid",
        dilation: Pair = (1, 1),
        groups: int = 1,
    ) -> Self:
        """Compute the sizes from kernel (kh, kw, channels / groups, filters) and input (H, W, C).

        `padding` may also be explicit, `((top, bottom), (left, right))`. Causal padding is
        `(k - 1, 0)`.
        """
        out, pads = [], []
        for axis in (0, 1):
            extent = (kernel_shape[axis] - 1) * dilation[axis] + 1
            size, mode = input_shape[axis], padding if isinstance(padding, str) else "valid"
            before, after = (0, 0) if isinstance(padding, str) else padding[axis]
            count, pad = out_and_padding(size + before + after, extent, strides[axis], mode)
            out.append(count)
            pads.append((pad[0] + before, pad[1] + after))
        return cls(
            size=(input_shape[0], input_shape[1]),
            channels=input_shape[2],
            kernel=(kernel_shape[0], kernel_shape[1]),
            filters=kernel_shape[3],
            strides=strides,
            dilation=dilation,
            groups=groups,
            padding=(pads[0], pads[1]),
            out=(out[0], out[1]),
        )

    @property
    def multiplications(self) -> int:
        """Multiplications per example in the definition of convolution."""
        return int(np.prod(self.out + self.kernel)) * self.channels // self.groups * self.filters

    @property
    def is_dense(self) -> bool:
        """Whether strides, dilation and groups are all 1."""
        return self.strides == (1, 1) and self.dilation == (1, 1) and self.groups == 1


class Inlet(NamedTuple):
    """The location of a convolution's input: a view of the interior of a zero-padded buffer."""

    inside: np.ndarray  # (H, W, C, n)
    padded: np.ndarray


def inlet(
    name: object,
    geometry: Geometry,
    below: int,
    examples: int,
    dtype: np.dtype,
    workspace: Workspace,
) -> Inlet:
    """Return the inlet `name` for a group of examples, with `below` additional rows at the end."""
    (top, bottom), (left, right) = geometry.padding
    height, width = geometry.size
    shape = (top + height + bottom + below, left + width + right, geometry.channels, examples)
    padded = workspace.framed((name, examples), shape, dtype)
    return Inlet(padded[top : top + height, left : left + width], padded)

"""Conversion of `CuDNNLSTM` and `CuDNNGRU` weights to those of `LSTM` and `GRU`.

cuDNN stores the kernel of each gate transposed, and two biases: one for the input, one for the
state.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from scratch_forward.layers.base import Array, Layer

Shapes = Mapping[str, tuple[int, ...]]


def is_cudnn(layer: Layer, stored: Mapping[str, Any]) -> bool:
    """Whether stored weights, given as objects with a `shape`, come from a cuDNN layer."""
    shapes = layer.own_weight_shapes()
    if not {"kernel", "recurrent_kernel", "bias"} <= shapes.keys():
        return False
    return bool(stored["bias"].shape == cudnn_shapes(layer)["bias"] != shapes["bias"])


def cudnn_shapes(layer: Layer) -> dict[str, tuple[int, ...]]:
    """Return the weight shapes of the cuDNN variant of a layer. Only the bias shape differs."""
    shapes = dict(layer.own_weight_shapes())
    return {**shapes, "bias": (2 * shapes["recurrent_kernel"][1],)}


def from_cudnn(weights: Mapping[str, Array], shapes: Shapes) -> dict[str, Array]:
    """Convert cuDNN weights to the given weight shapes of an `LSTM` or `GRU` layer."""
    units = shapes["recurrent_kernel"][0]
    gates = shapes["recurrent_kernel"][1] // units
    bias = weights["bias"].reshape(2, -1)
    double = math.prod(shapes["bias"]) == bias.size
    return {
        "kernel": _each(weights["kernel"], gates, lambda k: k.T.reshape(k.shape, order="F")),
        "recurrent_kernel": _each(weights["recurrent_kernel"], gates, np.transpose),
        "bias": bias.reshape(shapes["bias"]) if double else bias.sum(axis=0),
    }


def _each(kernels: Array, gates: int, turn: Any) -> Array:
    """Apply `turn` to the kernel of each gate."""
    return np.hstack([turn(kernel) for kernel in np.hsplit(kernels, gates)])

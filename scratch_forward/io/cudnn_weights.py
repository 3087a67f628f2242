"""Weights of the layers `CuDNNLSTM` and `CuDNNGRU`, converted to those of `LSTM` and `GRU`.

cuDNN keeps each gate's kernel transposed, and a bias for the input and one for the state.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from scratch_forward.layers.base import Array, Layer

Shapes = Mapping[str, tuple[int, ...]]


def is_cudnn(layer: Layer, stored: Mapping[str, Any]) -> bool:
    """Whether stored weights, with a shape each, are those of a cuDNN layer."""
    shapes = layer.own_weight_shapes()
    if not {"kernel", "recurrent_kernel", "bias"} <= shapes.keys():
        return False
    return bool(stored["bias"].shape == cudnn_shapes(layer)["bias"] != shapes["bias"])


def cudnn_shapes(layer: Layer) -> dict[str, tuple[int, ...]]:
    """Return the shapes that a cuDNN layer's weights have; its kernels' are the same."""
    shapes = dict(layer.own_weight_shapes())
    return {**shapes, "bias": (2 * shapes["recurrent_kernel"][1],)}


def from_cudnn(weights: Mapping[str, Array], shapes: Shapes) -> dict[str, Array]:
    """Convert a cuDNN layer's weights to those of the layer of these shapes."""
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
    """Convert the kernel of each gate."""
    return np.hstack([turn(kernel) for kernel in np.hsplit(kernels, gates)])

"""Layer-by-layer computation of a stage, for inputs that its kernels do not support."""

from collections.abc import Sequence
from typing import Any

from scratch_forward.layers.base import Generator, Layer


def run_plain(
    layers: Sequence[Layer], values: Any, mask: Any, generator: Generator | None
) -> tuple[Any, Any]:
    """Compute outputs and their mask layer by layer, with each layer's own checks and errors."""
    for layer in layers:
        values, mask = layer.run(values, mask, generator)
    return values, mask

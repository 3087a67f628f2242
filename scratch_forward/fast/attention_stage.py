"""Stage for self-attention: `MultiHeadAttention` on one input, without returned scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratch_forward.fast.profile import Clock
from scratch_forward.layers.base import Array, Generator
from scratch_forward.layers.multi_head_attention import MultiHeadAttention

LARGEST_SCORES = 1 << 18  # scores computed at a time, which stay in cache
# Sums of a query's exponentials, and largest value, for which their products keep all digits. With
# scores up to 80, values of 1e6 became NaN, and those of 1e-6 lost digits: errors were 47 times
# those of Keras.
TOTALS, VALUES = (1e-13, 1e13), (1e-18, 1e18)


class AttentionStage:
    """Self-attention in blocks of examples. Other calls are left to the layer.

    - One product projects to queries, keys and values. The factor of the scores is folded in.
    - The values have a further column of ones, so that `exp(scores) @ [v, 1]` also sums the
      exponentials. The division comes after it, on as many numbers as a head has outputs.
    - The largest score of a query is not subtracted. Very large or very small sums and values are
      left to the layer. A check of the scores themselves would read 100 times as many numbers.
    """

    def __init__(self, layer: MultiHeadAttention) -> None:
        self.layer = layer
        self._heads, self._outputs = layer.num_query_heads, layer.value_dim
        factor = layer.dtype.type(1 / np.sqrt(layer.key_dim))
        parts = [
            _rows(layer, "query_dense") * factor,
            _rows(layer, "key_dense"),
            _with_ones(_rows(layer, "value_dense")),
        ]
        self._ends = np.cumsum([part[0].size for part in parts[:2]])
        joint = np.hstack([part.reshape(len(part), -1) for part in parts])
        self._kernel, self._bias = np.ascontiguousarray(joint[:-1]), joint[-1]
        out = layer.projections["output_dense"].weights
        self._out = out["kernel"].reshape(self._heads * self._outputs, -1)
        self._out_bias = out.get("bias")

    @staticmethod
    def covers(layer: MultiHeadAttention) -> bool:
        """Whether the options of a layer with weights are supported."""
        sizes = {
            layer.projections[f"{name}_dense"].weights["kernel"].shape[0]
            for name in ("query", "key", "value")
        }
        return (
            len(sizes) == 1
            and layer.attention_axes in (None, (1,))
            and layer.sliding_window is None
            and not layer.use_gate
            and layer.output_sizes is None
        )

    def run(
        self,
        inputs: Any,
        mask: Any = None,
        generator: Generator | None = None,
        clock: Clock | None = None,
    ) -> tuple[Any, Any]:
        """Compute the outputs of a batch and their mask, that of the query."""
        outputs, kept_mask = self._computed(inputs, mask) or self.layer.run(inputs, mask, generator)
        if clock is not None:
            clock.lap([self.layer], len(outputs), [[np.shape(x) for x in inputs]])
        return outputs, kept_mask

    def _computed(self, inputs: Any, mask: Any) -> tuple[Array, Any] | None:
        """Return outputs and mask, or None if the layer itself has to compute them."""
        arrays = self.layer.convert(inputs)
        x = arrays[0]
        if x.ndim != 3 or not x.size or any(other is not x for other in arrays):
            return None
        masks = self.layer.input_masks(mask, {}, len(arrays))
        kept = self.layer.attended(x, x, masks)
        outputs = np.empty((*x.shape[:2], self._out.shape[1]), x.dtype)
        step = max(LARGEST_SCORES // (self._heads * x.shape[1] ** 2), 1)
        for start in range(0, len(x), step):
            rows = slice(start, start + step)
            if not self._attend(x[rows], None if kept is None else kept[rows], outputs[rows]):
                return None
        return outputs, masks[0]

    def _attend(self, x: Array, kept: Array | None, out: Array) -> bool:
        """Write the outputs for x (n, T, C). Returns False if the layer has to compute them."""
        count, steps, channels = x.shape
        heads, outputs = self._heads, self._outputs
        projected = x.reshape(-1, channels) @ self._kernel
        projected += self._bias
        parts = np.split(projected.reshape(count, steps, -1), self._ends, axis=2)
        q, k, v = (part.reshape(count, steps, heads, -1).swapaxes(1, 2) for part in parts)
        if not _within(VALUES, np.abs(v[..., :outputs]).max(initial=0)):
            return False
        with np.errstate(over="ignore", invalid="ignore"):
            scores = q @ k.swapaxes(2, 3)
            powers = np.exp(scores, out=scores)
            if kept is not None:
                nothing = ~kept.any(axis=-1, keepdims=True)
                powers *= kept
                if not self.layer.dropout:
                    powers += nothing  # a query without positions attends all equally, else none
            sums = powers @ v
        total = sums[..., outputs:]
        if kept is not None and self.layer.dropout:
            total += nothing
        if not (_within(TOTALS, total.min()) and _within(TOTALS, total.max())):
            return False
        joined = np.empty((count, steps, heads, outputs), x.dtype)
        np.divide(sums[..., :outputs], total, out=joined.swapaxes(1, 2))
        np.matmul(joined.reshape(count * steps, -1), self._out, out=out.reshape(count * steps, -1))
        if self._out_bias is not None:
            out += self._out_bias
        return True


def _within(bounds: tuple[float, float], value: float) -> bool:
    """Whether a value is within bounds; False for NaN."""
    return bool(bounds[0] <= value <= bounds[1])


def _rows(layer: MultiHeadAttention, name: str) -> Array:
    """Return kernel and bias of a projection as one array, (C + 1, heads, size)."""
    weights = layer.projections[name].weights
    kernel = weights["kernel"]
    bias = weights.get("bias", np.zeros(kernel.shape[1:], kernel.dtype))
    return np.concatenate([kernel, bias[None]])


def _with_ones(rows: Array) -> Array:
    """Add an output of 1 to each head: kernel 0 and bias 1, (C + 1, heads, size + 1)."""
    further = np.zeros((*rows.shape[:2], 1), rows.dtype)
    further[-1] = 1
    return np.concatenate([rows, further], axis=2)

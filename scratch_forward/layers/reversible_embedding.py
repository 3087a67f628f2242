"""`ReversibleEmbedding`: an embedding that also maps back to logits over the ids."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratch_forward.layers.base import Generator, Shape
from scratch_forward.layers.core import Embedding
from scratch_forward.layers.options import boolean, number, one_of


class ReversibleEmbedding(Embedding):
    """`y = embeddings[id]`, or `y = x @ embeddings.T` in a call with `reverse=True`.

    With a soft cap c, logits become `c * tanh(y / c)`.

    Shapes: as `Embedding`; in reverse, `(..., output_dim)` to `(..., input_dim)`. Weights:
    embeddings `(input_dim, output_dim)`, and `(output_dim, input_dim)` for the reverse unless it is
    tied.

    Source: `keras.layers.ReversibleEmbedding` of Keras 3.

    Args:
        input_dim: Number of rows.
        output_dim: Size of a row.
        tie_weights: Whether the reverse uses the transposed embeddings.
        mask_zero: Whether id 0 is padding that later layers skip.
        reverse_dtype: Must be None or `"float32"`.
        logit_soft_cap: Bound of the logits.
    """

    call_arguments = ("inputs", "reverse")

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        mask_zero: bool = False,
        reverse_dtype: str | None = None,
        logit_soft_cap: float | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(input_dim, output_dim, mask_zero, name)
        self.tie_weights = boolean("tie_weights", tie_weights)
        one_of("reverse_dtype", reverse_dtype, (None, "float32"))
        self.logit_soft_cap = (
            None if logit_soft_cap is None else number("logit_soft_cap", logit_soft_cap)
        )

    def weight_shapes(self, input_shape: Shape) -> dict[str, Any]:
        """Return the shapes of the table, and of the reverse unless it is tied."""
        reverse = {"reverse_embeddings": (self.output_dim, self.input_dim)}
        return super().weight_shapes(input_shape) | ({} if self.tie_weights else reverse)

    def compute_call_shape(self, inputs: Any, arguments: dict[str, Any]) -> Any:
        """Return the shape of rows, or of logits in reverse."""
        if arguments.get("reverse"):
            return (*inputs.shape[:-1], self.input_dim)
        return super().compute_call_shape(inputs, arguments)

    def run(
        self, inputs: Any, mask: Any = None, generator: Generator | None = None, **arguments: Any
    ) -> tuple[Any, Any]:
        """Look up rows with their mask, or compute logits, which have none."""
        if not arguments.get("reverse"):
            return super().run(inputs, mask, generator)
        if not self.built:
            self.build((None, None))
        weights = self.weights
        kernel = weights["embeddings"].T if self.tie_weights else weights["reverse_embeddings"]
        logits = np.asarray(inputs, self.dtype) @ kernel
        if self.logit_soft_cap is not None:
            cap = self.dtype.type(self.logit_soft_cap)
            logits = np.tanh(logits / cap) * cap
        return logits, None

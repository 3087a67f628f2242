"""Attention over a list `[query, value]` or `[query, value, key]`: dot-product and additive."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratch_forward import activations
from scratch_forward.layers.base import Array, Generator, Layer, Shape
from scratch_forward.layers.options import boolean, number, one_of
from scratch_forward.layers.regularization import inverted_dropout

_PADDING_BIAS = 1e9  # Keras subtracts this from the scores of positions that must not be attended


class _ListAttention(Layer):
    """`softmax(scores(query, key)) @ value`. A subclass defines the scores.

    Positions that the mask of the value excludes are not attended. Masked queries give zeros. The
    mask of the query is passed through.
    """

    supports_masking = True
    call_arguments = ("inputs", "mask", "training", "return_attention_scores", "use_causal_mask")

    def __init__(self, use_scale: bool, dropout: float, name: str | None) -> None:
        super().__init__(name)
        self.use_scale = boolean("use_scale", use_scale)
        self.dropout = number("dropout", dropout, 0, 1)

    def scores(self, query: Array, key: Array) -> Array:
        """Return the score of each query `(N, T, C)` with each key `(N, S, C)`: `(N, T, S)`."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the query's shape with the value's number of channels.

        Raises:
            ValueError: If the input is not a list of two or three arrays.
        """
        if not isinstance(input_shape, list) or len(input_shape) not in (2, 3):
            raise ValueError(
                f"Layer {self.name!r} takes [query, value] or [query, value, key], got an input "
                f"of shape {input_shape}."
            )
        return (*input_shape[0][:-1], input_shape[1][-1])

    def compute_call_shape(self, inputs: Any, arguments: dict[str, Any]) -> Any:
        """Return the shape of the output, and that of the scores if they are requested."""
        input_shape = [tensor.shape for tensor in inputs]
        output = self.compute_output_shape(input_shape)
        if not arguments.get("return_attention_scores"):
            return output
        return [output, (*input_shape[0][:-1], input_shape[-1][-2])]

    def compute_mask(self, _inputs: Any, mask: Any) -> Any:
        """Return the query's mask."""
        return mask[0] if mask is not None else None

    def apply(
        self,
        inputs: Any,
        mask: Any,
        generator: Generator | None,
        /,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
        **_: Any,
    ) -> Any:
        """Compute the outputs, and the attention probabilities if they are requested."""
        query, value, key = inputs if len(inputs) == 3 else (*inputs, inputs[1])
        query_mask, value_mask = (None, None) if mask is None else mask[:2]
        scores = self.scores(query, key)
        kept = _kept(scores, value_mask, use_causal_mask)
        if kept is not None:
            scores = np.where(kept, scores, scores - self.dtype.type(_PADDING_BIAS))
        probabilities = activations.softmax(scores)
        if generator is not None and self.dropout:
            probabilities = inverted_dropout(probabilities, self.dropout, generator)
        outputs = probabilities @ value
        if query_mask is not None:
            kept = np.asarray(query_mask, bool)[..., None]
            outputs = np.where(kept, outputs, self.dtype.type(0))
        return (outputs, probabilities) if return_attention_scores else outputs


def _kept(scores: Array, value_mask: Any, causal: bool) -> Array | None:
    """Return which scores to keep, broadcastable to the scores, or None for all."""
    kept = None if value_mask is None else np.asarray(value_mask, bool)[..., None, :]
    if not causal:
        return kept
    before = np.tri(*scores.shape[-2:]) > 0
    return before if kept is None else kept & before


class Attention(_ListAttention):
    """Luong's attention (arXiv:1508.04025): `softmax(scale * query @ key.T) @ value`.

    With `score_mode="concat"`, the scores are
    `concat_score_weight * sum(tanh(scale * (query + key)))` over the channels. Without `use_scale`,
    the scale is 1.

    Shapes: a list of query `(N, T, C)`, value `(N, S, D)` and key `(N, S, C)`, to `(N, T, D)`. The
    key defaults to the value. With `return_attention_scores`, the probabilities `(N, T, S)` follow.
    The weights `scale` and `concat_score_weight` are scalars.

    Args:
        use_scale: Whether to multiply the scores by a weight.
        score_mode: `"dot"` or `"concat"`.
        dropout: Dropout rate of the attention probabilities in training.
        seed: Ignored. `model(x, training=True, seed=...)` seeds all layers.
    """

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(use_scale, dropout, name)
        self.score_mode = one_of("score_mode", score_mode, ("dot", "concat"))
        self.seed = seed

    def weight_shapes(self, _input_shape: Any) -> dict[str, Any]:
        """Return the shapes of the scalar weights that exist."""
        concat = ["concat_score_weight"] * (self.score_mode == "concat")
        return dict.fromkeys(["scale"] * self.use_scale + concat, ())

    def scores(self, query: Array, key: Array) -> Array:
        """Return the dot products of queries and keys, or the sums of the tanh of their sums."""
        scale = self.weights["scale"] if self.use_scale else self.dtype.type(1)
        if self.score_mode == "dot":
            return scale * (query @ key.swapaxes(-2, -1))
        sums = np.tanh(scale * (query[..., :, None, :] + key[..., None, :, :])).sum(axis=-1)
        return self.weights["concat_score_weight"] * sums


class AdditiveAttention(_ListAttention):
    """Bahdanau's attention (arXiv:1409.0473): `softmax(sum(scale * tanh(query + key))) @ value`.

    Shapes: a list of query `(N, T, C)`, value `(N, S, D)` and key `(N, S, C)`, to `(N, T, D)`. The
    key defaults to the value. With `return_attention_scores`, the probabilities `(N, T, S)` follow.
    The weight `scale` has shape `(C,)`.

    Args:
        use_scale: Whether to multiply the channels by weights. Otherwise their weight is 1.
        dropout: Dropout rate of the attention probabilities in training.
        seed: Ignored. `model(x, training=True, seed=...)` seeds all layers.
    """

    def __init__(
        self,
        use_scale: bool = True,
        dropout: float = 0.0,
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(use_scale, dropout, name)
        self.seed = seed

    def weight_shapes(self, input_shape: Any) -> dict[str, Any]:
        """Return the shape of `scale`: one value per channel of the query."""
        return {"scale": (input_shape[0][-1],)} if self.use_scale else {}

    def scores(self, query: Array, key: Array) -> Array:
        """Return the weighted sums of the tanh of each query plus each key."""
        squashed = np.tanh(query[..., :, None, :] + key[..., None, :, :])
        if not self.use_scale:
            return squashed.sum(axis=-1)
        return squashed @ self.weights["scale"]

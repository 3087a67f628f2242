"""Attention with several heads: `MultiHeadAttention` and `GroupQueryAttention`.

Both project query, key and value, compute attention in every head, and project the joined heads.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from scratch_forward import activations
from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Generator, Layer, Shape
from scratch_forward.layers.einsum_dense import EinsumDense, output_sizes
from scratch_forward.layers.options import boolean, number, one_of, optional_positive, positive
from scratch_forward.layers.regularization import inverted_dropout
from scratch_forward.symbolic import connect, is_symbolic

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LARGEST_SCORES = 1 << 24  # scores in memory at once: 64 MiB in float32

# Keras replaces the scores of positions that must not be attended by these values: the first in its
# fused computation, the second where it returns the scores.
_MASKED_AT_ONCE = -0.7 * 3.38953e38
_MASKED_STRICTLY = -1e9


class _HeadAttention(Layer):
    """Base class of both layers: calls, masks, and the attention in every head.

    `head = softmax(q @ k.T / sqrt(key_dim)) @ v` (arXiv:1706.03762), with q, k and v projected from
    query, key and value. A query attends a position if all of these allow it: the masks of query,
    value and key, `attention_mask`, the causal mask (`s <= t`) and the sliding window
    (`|s - t| < sliding_window`). As in Keras, a query without any allowed position attends all
    positions equally. With dropout, with returned scores, or with more than three axes, its heads
    are zero instead.
    """

    supports_masking = True
    call_arguments = (
        *("query", "value", "key", "query_mask", "value_mask", "key_mask", "attention_mask"),
        *("return_attention_scores", "training", "use_causal_mask"),
    )
    attention_axes: tuple[int, ...] | None = (1,)
    num_query_heads: int
    num_key_value_heads: int

    def __init__(
        self,
        key_dim: int,
        value_dim: int,
        dropout: float,
        use_bias: bool,
        sliding_window: int | None,
        flash_attention: bool | None,
        use_gate: bool,
        seed: int | None,
        name: str | None,
    ) -> None:
        super().__init__(name)
        self.key_dim, self.value_dim = key_dim, value_dim
        self.dropout = number("dropout", dropout, 0, 1)
        self.use_bias = boolean("use_bias", use_bias)
        self.sliding_window = optional_positive("sliding_window", sliding_window)
        self.flash_attention = one_of("flash_attention", flash_attention, (None, False))
        self.use_gate = boolean("use_gate", use_gate)
        self.seed = seed
        self.projections: dict[str, EinsumDense] = {}

    def projected_sizes(self, query_shape: Shape) -> Sequence[Any]:
        """Return the last sizes of the output."""
        return query_shape[-1:]

    # Calls

    def __call__(  # type: ignore[override]
        self,
        query: Any,
        value: Any,
        key: Any = None,
        training: bool = False,
        seed: int | None = None,
        **arguments: Any,
    ) -> Any:
        """Compute the outputs of a batch, or extend a graph if the inputs are symbolic.

        Args:
            query: Array `(N, T, C)`.
            value: Array `(N, S, D)`.
            key: Array `(N, S, E)`. Defaults to `value`.
            training: Whether to apply dropout to the probabilities.
            seed: Seed of the dropout.
            **arguments: `query_mask`, `value_mask` and `key_mask`, bool `(N, T)` or `(N, S)`;
                `attention_mask`, bool `(N, T, S)`; `return_attention_scores`; `use_causal_mask`.

        Returns:
            The outputs, and with `return_attention_scores` the probabilities `(N, heads, T, S)`.
        """
        inputs = [query, value] if key is None else [query, value, key]
        if is_symbolic(inputs):
            return connect(self, inputs, **arguments)
        self.require_weights()
        generator = np.random.default_rng(seed) if training else None
        return self.run(inputs, None, generator, **arguments)[0]

    def gathered(self, first: Any, others: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return query, value and optionally key as a list, and the other arguments."""
        names = ("value", "key")
        inputs = [first, *(others[name] for name in names if name in others)]
        return inputs, {name: value for name, value in others.items() if name not in names}

    def run(
        self, inputs: Any, mask: Any = None, generator: Generator | None = None, **arguments: Any
    ) -> tuple[Any, Any]:
        """Compute outputs and masks: that of the query, and that of the returned scores."""
        arrays = self.convert(inputs)
        if not self.built:
            self.build([(None, *array.shape[1:]) for array in arrays])
        masks = self.input_masks(mask, arguments, len(arrays))
        kept = self.attended(arrays[0], arrays[1], masks, **arguments)
        with_scores = bool(arguments.get("return_attention_scores"))
        strict = with_scores or self.dropout > 0 or arrays[0].ndim != 3
        parts = [
            self.attend([x[rows] for x in arrays], _rows_of(kept, rows), generator, strict)
            for rows in self._blocks(arrays)
        ]
        outputs, scores = (np.concatenate(part) for part in zip(*parts, strict=True))
        return ((outputs, scores), (masks[0], kept)) if with_scores else (outputs, masks[0])

    def _blocks(self, arrays: list[Array]) -> list[slice]:
        """Return slices of the batch whose scores fit the memory limit."""
        count = self.num_query_heads * math.prod(math.prod(x.shape[1:-1]) for x in arrays[:2])
        step = max(_LARGEST_SCORES // max(count, 1), 1)
        return [slice(start, start + step) for start in range(0, max(len(arrays[0]), 1), step)]

    def compute_call_shape(self, inputs: Any, arguments: dict[str, Any]) -> Any:
        """Return the shape of the output, and that of the scores if they are requested."""
        input_shape = [tensor.shape for tensor in inputs]
        output = self.compute_output_shape(input_shape)
        if not arguments.get("return_attention_scores"):
            return output
        query, key = input_shape[0], input_shape[-1]
        axes = self._axes(len(query))
        kept = [size for axis, size in enumerate(query[:-1]) if axis not in axes]
        positions = [shape[axis] for shape in (query, key) for axis in axes]
        return [output, (*kept, self.num_query_heads, *positions)]

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape of the query with the last sizes of the output."""
        query: Shape = input_shape[0]
        return (*query[:-1], *self.projected_sizes(query))

    # Masks

    def input_masks(self, carried: Any, given: dict[str, Any], count: int) -> list[Any]:
        """Return the masks of query, value and key: explicit ones, else those of the tensors."""
        masks = carried if isinstance(carried, list | tuple) else [carried] * count
        named = [given.get(f"{name}_mask") for name in self.call_arguments[:count]]
        return [own if mask is None else mask for mask, own in zip(named, masks, strict=True)]

    def attended(
        self,
        query: Array,
        value: Array,
        masks: Sequence[Any],
        attention_mask: Any = None,
        use_causal_mask: bool = False,
        **_: Any,
    ) -> Array | None:
        """Return which positions each query may attend, or None for all.

        Args:
            query: Array `(N, T, C)`.
            value: Array `(N, S, D)`.
            masks: Masks of query, value and key, bool `(N, T)` or `(N, S)`, or None.
            attention_mask: Boolean array `(N, T, S)`.
            use_causal_mask: Whether queries may not attend later positions.

        Returns:
            Boolean array, broadcastable to the scores `(N, heads, T, S)`.
        """
        kept = [
            np.expand_dims(np.asarray(mask, bool), -2 if index else -1)
            for index, mask in enumerate(masks)
            if mask is not None
        ]
        t, s = np.ogrid[: query.shape[1], : value.shape[1]]
        if use_causal_mask:
            kept.append((s <= t)[None])
        if self.sliding_window is not None:
            kept.append((abs(t - s) < self.sliding_window)[None])
        if attention_mask is not None:
            kept.append(np.asarray(attention_mask, bool))
        if not kept:
            return None
        return self._with_heads(functools.reduce(np.logical_and, kept), query.ndim)

    def _with_heads(self, mask: Array, input_rank: int) -> Array:
        """Insert axes of size 1, including that of the heads, before the axes of positions."""
        positions = len(self._axes(input_rank))
        missing = input_rank + positions - mask.ndim
        split = mask.ndim - 2 * positions
        if split < 0:
            raise ValueError(f"Layer {self.name!r} got masks that combine to {mask.shape}.")
        return mask.reshape(*mask.shape[:split], *[1] * missing, *mask.shape[split:])

    def _axes(self, input_rank: int) -> tuple[int, ...]:
        """Return the axes of positions, counted from the front."""
        if self.attention_axes is None:
            return tuple(range(1, input_rank - 1))
        return tuple(axis % input_rank for axis in self.attention_axes)

    # The equation

    def attend(
        self, inputs: list[Array], kept: Array | None, generator: Generator | None, strict: bool
    ) -> tuple[Array, Array]:
        """Project the inputs, compute attention in every head, and project the result.

        Args:
            inputs: Query, value and, unless it is the value, key.
            kept: Positions to attend, from `attended`.
            generator: Random generator of the dropout, or None.
            strict: Whether a query without allowed positions gives zeros.

        Returns:
            The outputs, and the probabilities `(N, heads, T, S)`.
        """
        query, value, key = inputs if len(inputs) == 3 else (*inputs, inputs[1])
        axes = self._axes(query.ndim)
        q = _heads_first(self.projections["query_dense"].call(query), axes)
        k = self._shared(_heads_first(self.projections["key_dense"].call(key), axes))
        v = self._shared(_heads_first(self.projections["value_dense"].call(value), axes))
        sizes = [[x.shape[axis] for axis in axes] for x in (query, key)]
        scores = q * self.dtype.type(1 / math.sqrt(self.key_dim)) @ k.swapaxes(-2, -1)
        probabilities = _masked_softmax(scores, _flat_positions(kept, *sizes), strict)
        dropped = probabilities
        if generator is not None and self.dropout:
            dropped = inverted_dropout(probabilities, self.dropout, generator)
        heads = _heads_last(dropped @ v, axes, sizes[0])
        if self.use_gate:
            heads = heads * self.projections["gate_dense"].call(query)
        outputs = self.projections["output_dense"].call(heads)
        return outputs, probabilities.reshape(*q.shape[:-2], *sizes[0], *sizes[1])

    def _shared(self, heads: Array) -> Array:
        """Repeat each head of keys or values for the queries that share it."""
        repeats = self.num_query_heads // self.num_key_value_heads
        return heads if repeats == 1 else np.repeat(heads, repeats, axis=-3)

    # Nested layers

    def build_children(self, input_shape: Any) -> None:
        """Build the projections.

        Raises:
            ValueError: If there are not two or three inputs, or value and key do not match.
        """
        if not isinstance(input_shape, list) or len(input_shape) not in (2, 3):
            raise ValueError(
                f"Layer {self.name!r} is called on query, value and perhaps key, got an input of "
                f"shape {input_shape}."
            )
        query, value, key = input_shape[0], input_shape[1], input_shape[-1]
        if value[1:-1] != key[1:-1]:
            raise ValueError(
                f"Layer {self.name!r} got a value {value} and a key {key}; only their last sizes "
                "may differ."
            )
        heads, shared = self.num_query_heads, self.num_key_value_heads
        shapes = {
            "query_dense": (query, [heads, self.key_dim]),
            "key_dense": (key, [shared, self.key_dim]),
            "gate_dense": (query, [heads, self.value_dim]),
            "value_dense": (value, [shared, self.value_dim]),
            "output_dense": ((*query[:-1], heads, self.value_dim), self.projected_sizes(query)),
        }
        for name, (shape, sizes) in shapes.items():
            if name != "gate_dense" or self.use_gate:
                bound = 2 if name == "output_dense" else 1
                self.projections[name] = self._projection(shape, sizes, bound)
        if self.use_gate:
            self.projections["gate_dense"].activation = activations.sigmoid

    def _projection(self, input_shape: Shape, sizes: Sequence[Any], bound: int) -> EinsumDense:
        """Build a dense layer that maps the last `bound` axes to axes of these sizes."""
        free = len(input_shape) - bound
        kept, inner, outer = _LETTERS[:free], _LETTERS[free:][:bound], _LETTERS[free + bound :]
        outer = outer[: len(sizes)]
        dense = EinsumDense(
            f"{kept}{inner},{inner}{outer}->{kept}{outer}",
            (*[None] * (free - 1), *sizes),
            bias_axes=outer if self.use_bias else None,
        )
        dense.set_dtype(self.dtype)
        dense.build(input_shape)
        return dense

    def children(self) -> dict[str, Layer]:
        """Return the projections in Keras's order, keyed by their path in a weights file."""
        return {self.path_of(name): dense for name, dense in self.projections.items()}

    def path_of(self, projection: str) -> str:
        """Return the path of a projection in a weights file."""
        raise NotImplementedError


class MultiHeadAttention(_HeadAttention):
    """Multi-head attention (arXiv:1706.03762): `concatenate(heads) @ W + b`.

    Each head is `softmax(q @ k.T / sqrt(key_dim)) @ v`. Every head has its own projections of
    query, key and value to q, k and v.

    Shapes: query `(N, T, C)`, value `(N, S, D)` and key `(N, S, E)` to `(N, T, C)`, or to
    `(N, T, *output_shape)`. With `return_attention_scores`, the probabilities `(N, heads, T, S)`
    follow. Kernels: query `(C, heads, key_dim)`, key `(E, heads, key_dim)`, value
    `(D, heads, value_dim)`, output `(heads, value_dim, C)`. Biases: query and key
    `(heads, key_dim)`, value `(heads, value_dim)`, output `(C,)`. With more axes, attention is
    computed over `attention_axes`.

    For masks, see the arguments of a call. The mask of the query is passed through. As in Keras,
    the masks of the input tensors are removed: a layer that reads the same tensor later sees no
    mask.

    Args:
        num_heads: Number of heads.
        key_dim: Size of queries and keys per head.
        value_dim: Size of values per head. Defaults to `key_dim`.
        dropout: Dropout rate of the attention probabilities in training.
        use_bias: Whether the projections have a bias.
        output_shape: Last sizes of the output. Defaults to the last size of the query.
        attention_axes: Axes of positions. Defaults to all axes between batch and channels.
        sliding_window: Attended positions are at a distance below this value. None for all.
        flash_attention: None or False. A GPU implementation of the same equation.
        use_gate: Whether to multiply the heads by `sigmoid(query @ gate + bias)`
            (arXiv:2505.06708).
        seed: Ignored. `model(x, training=True, seed=...)` seeds all layers.
    """

    clears_input_masks = True

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        use_gate: bool = False,
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            positive("key_dim", key_dim),
            optional_positive("value_dim", value_dim) or key_dim,
            dropout,
            use_bias,
            sliding_window,
            flash_attention,
            use_gate,
            seed,
            name,
        )
        self.num_query_heads = self.num_key_value_heads = positive("num_heads", num_heads)
        self.output_sizes = output_sizes(output_shape) if output_shape else None
        self.attention_axes = _attention_axes(attention_axes)

    def projected_sizes(self, query_shape: Shape) -> Sequence[Any]:
        """Return the last sizes of the output."""
        return self.output_sizes or query_shape[-1:]

    def input_masks(self, carried: Any, given: dict[str, Any], count: int) -> list[Any]:
        """Return the masks. As in Keras, that of the query tensor replaces `query_mask`."""
        masks = super().input_masks(carried, given, count)
        return [carried[0] if isinstance(carried, list | tuple) else carried, *masks[1:]]

    def path_of(self, projection: str) -> str:
        """Return the path of a projection in a weights file."""
        return "_gate_dense" if projection == "gate_dense" else projection


class GroupQueryAttention(_HeadAttention):
    """Attention with one key and value head per group of query heads (arXiv:2305.13245).

    `concatenate(heads) @ W + b`, each `head = softmax(q @ k.T / sqrt(head_dim)) @ v`, where k and v
    are those of the head's group. Masks are used as in `MultiHeadAttention`, but the input tensors
    keep theirs.

    Shapes: query `(N, T, C)`, value `(N, S, C)` and key `(N, S, E)` to `(N, T, C)`. With
    `return_attention_scores`, the probabilities `(N, num_query_heads, T, S)` follow. Kernels: query
    `(C, num_query_heads, head_dim)`, key `(E, num_key_value_heads, head_dim)`, value
    `(C, num_key_value_heads, head_dim)`, output `(num_query_heads, head_dim, C)`. Biases: query
    `(num_query_heads, head_dim)`, key and value `(num_key_value_heads, head_dim)`, output `(C,)`.

    Args:
        head_dim: Size of queries, keys and values per head.
        num_query_heads: Number of query heads.
        num_key_value_heads: Number of key and value heads. Must divide `num_query_heads`.
        dropout: Dropout rate of the attention probabilities in training.
        use_bias: Whether the projections have a bias.
        sliding_window: Attended positions are at a distance below this value. None for all.
        flash_attention: None or False. A GPU implementation of the same equation.
        use_gate: Whether to multiply the heads by `sigmoid(query @ gate + bias)`
            (arXiv:2505.06708).
        seed: Ignored. `model(x, training=True, seed=...)` seeds all layers.
    """

    keras_class = "GroupedQueryAttention"

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        use_gate: bool = False,
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        size = positive("head_dim", head_dim)
        super().__init__(
            size, size, dropout, use_bias, sliding_window, flash_attention, use_gate, seed, name
        )
        self.num_query_heads = positive("num_query_heads", num_query_heads)
        self.num_key_value_heads = positive("num_key_value_heads", num_key_value_heads)
        if self.num_query_heads % self.num_key_value_heads:
            nearest = f"a divisor of num_query_heads={num_query_heads}"
            raise InvalidOption("num_key_value_heads", num_key_value_heads, nearest)

    def path_of(self, projection: str) -> str:
        """Return the path of a projection in a weights file."""
        return f"_{projection}"


def _attention_axes(value: Any) -> tuple[int, ...] | None:
    """Convert the option to a tuple of axes, or None for all."""
    if value is None:
        return None
    axes = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not axes or any(isinstance(axis, bool) or not isinstance(axis, int) for axis in axes):
        raise InvalidOption("attention_axes", value, "an axis or a list of them")
    return axes


def _heads_first(x: Array, axes: Sequence[int]) -> Array:
    """Transpose `(N, ..., positions, heads, size)` to `(N, ..., heads, positions, size)`.

    Several axes of positions become one axis.
    """
    batch = [axis for axis in range(x.ndim - 2) if axis not in axes]
    ordered = x.transpose(*batch, x.ndim - 2, *axes, x.ndim - 1)
    if len(axes) == 1:
        return ordered
    return ordered.reshape(*ordered.shape[: len(batch) + 1], -1, x.shape[-1])


def _heads_last(x: Array, axes: Sequence[int], sizes: Sequence[int]) -> Array:
    """Invert `_heads_first`, with the given sizes for the axes of positions."""
    unfolded = x.reshape(*x.shape[:-2], *sizes, x.shape[-1])
    batch = [axis for axis in range(unfolded.ndim - 2) if axis not in axes]
    order = (*batch, unfolded.ndim - 2, *axes, unfolded.ndim - 1)
    return unfolded.transpose(np.argsort(order))


def _flat_positions(
    kept: Array | None, query_sizes: Sequence[int], key_sizes: Sequence[int]
) -> Array | None:
    """Reshape a mask to one axis of queries and one of keys."""
    if kept is None or len(query_sizes) == 1:
        return kept
    before = kept.shape[: -2 * len(query_sizes)]
    full = np.broadcast_to(kept, (*before, *query_sizes, *key_sizes))
    return full.reshape(*before, math.prod(query_sizes), math.prod(key_sizes))


def _masked_softmax(scores: Array, kept: Array | None, strict: bool) -> Array:
    """Softmax over kept positions. If none is kept: zeros if `strict`, else all positions equal."""
    if kept is None:
        return activations.softmax(scores)
    fill = scores.dtype.type(_MASKED_STRICTLY if strict else _MASKED_AT_ONCE)
    probabilities = activations.softmax(np.where(kept, scores, fill))
    return np.where(kept, probabilities, scores.dtype.type(0)) if strict else probabilities


def _rows_of(kept: Array | None, rows: slice) -> Array | None:
    """Return the rows of a mask for some examples. A mask may be the same for all examples."""
    return kept if kept is None or len(kept) == 1 else kept[rows]

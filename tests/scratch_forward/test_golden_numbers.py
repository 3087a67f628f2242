"""Layers against published numbers: those that Keras's own layer tests and documentation state.

No Keras is needed. A weight is given as one number, which fills it, or as an array. Numbers have as
many digits as were published.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import scratch_forward as sf
from scratch_forward.layers.base import shape_of


@dataclass(frozen=True)
class Golden:
    """One published result.

    Attributes:
        layer: A layer with its options.
        inputs: The input, or a list of inputs.
        outputs: The published output, or a list of outputs.
        weights: Weights in Keras's order.
        arguments: Arguments of the call, such as `mask`.
        digits: Largest difference.
    """

    layer: Any
    inputs: Any
    outputs: Any
    weights: tuple[Any, ...] = ()
    arguments: dict[str, Any] = field(default_factory=dict)
    digits: float = 1e-6


def counted(*shape: int) -> np.ndarray:
    """Return an array of the numbers 0, 1, 2, ..."""
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def column(*values: Any) -> list[list[Any]]:
    return [[value] for value in values]


def thrice(*values: float) -> np.ndarray:
    """Return rows of three equal numbers."""
    return np.repeat(np.array(values)[:, None], 3, axis=1)


GATES = (0.01, 0.02, 0.03)  # kernel, recurrent kernel, bias
FORGETFUL = np.repeat([0.03, 1.0, 0.03, 0.03], 3)  # the forget gate starts open
SHORT, LONG = counted(2, 3, 4), counted(3, 6, 4)

RECURRENT = [
    Golden(sf.SimpleRNN(4), SHORT, np.repeat([[0.405432], [0.73605347]], 4, axis=1), GATES),
    Golden(
        sf.SimpleRNN(4, go_backwards=True),
        SHORT,
        np.repeat([[0.11144729], [0.5528889]], 4, axis=1),
        GATES,
    ),
    Golden(
        sf.LSTM(3),
        LONG,
        thrice(0.6288687, 0.86899155, 0.9460773),
        (0.01, 0.02, FORGETFUL),
    ),
    Golden(
        sf.LSTM(3, go_backwards=True),
        LONG,
        thrice(0.35622165, 0.74789524, 0.8872726),
        (0.01, 0.02, FORGETFUL),
    ),
    Golden(sf.LSTM(3), LONG, thrice(0.57019705, 0.8661914, 0.9459622), GATES),
    Golden(
        sf.LSTM(3, use_bias=False), LONG, thrice(0.54986924, 0.86226785, 0.9443936), (0.01, 0.02)
    ),
    Golden(sf.GRU(3), LONG, thrice(0.5217289, 0.6371659, 0.39384964), GATES),
    Golden(sf.GRU(3, go_backwards=True), LONG, thrice(0.24406259, 0.611516, 0.3928808), GATES),
    Golden(sf.GRU(3, reset_after=False), LONG, thrice(0.51447755, 0.6426879, 0.40208298), GATES),
    Golden(
        sf.GRU(3, use_bias=False), LONG, thrice(0.49988455, 0.64701194, 0.4103359), (0.01, 0.02)
    ),
    Golden(
        sf.Bidirectional(sf.SimpleRNN(2)),
        SHORT,
        np.repeat([[0.39687276, 0.10004295], [0.7237238, 0.53391594]], 2, axis=1),
        GATES * 2,
    ),
    Golden(
        sf.Bidirectional(sf.SimpleRNN(2), merge_mode="ave"),
        SHORT,
        [[0.24845785] * 2, [0.6288199] * 2],
        GATES * 2,
    ),
    Golden(
        sf.Bidirectional(sf.SimpleRNN(2), merge_mode=None),
        SHORT,
        [[[0.39687276] * 2, [0.7237238] * 2], [[0.10004295] * 2, [0.53391594] * 2]],
        GATES * 2,
    ),
    Golden(
        sf.Bidirectional(sf.SimpleRNN(2), "mul", backward_layer=sf.SimpleRNN(2, go_backwards=True)),
        SHORT,
        [[0.08374989] * 2, [0.6740834] * 2],
        (*GATES, *reversed(GATES)),
    ),
    Golden(
        sf.Bidirectional(sf.GRU(2, return_sequences=True), "sum"),
        SHORT,
        np.repeat(
            [
                [[0.20937867], [0.34462988], [0.40290534]],
                [[0.59829646], [0.6734641], [0.6479671]],
            ],
            2,
            axis=-1,
        ),
        GATES * 2,
    ),
    Golden(
        sf.ConvLSTM2D(2, 3),
        counted(2, 3, 4, 4, 5) / 100,
        np.repeat(
            [
                [[[0.48694518], [0.50237733]], [[0.5461202], [0.5598283]]],
                [[[0.8661607], [0.86909103]], [[0.8774414], [0.8800861]]],
            ],
            2,
            axis=-1,
        ),
        (0.01, 0.02, np.repeat([0.03, 1.0, 0.03, 0.03], 2)),
    ),
]

QUERY, KEY = [[[1.0, 0.0], [0.0, 1.0]]], [[[0.0, 1.0], [1.0, 0.0]]]
VALUE, ONES = [[[1.0, 2.0], [3.0, 4.0]]], [[[1.0, 1.0], [1.0, 1.0]]]
SCORES = {"return_attention_scores": True}
MASKED = {**SCORES, "mask": [np.array([[True, False]]), np.array([[True, False]])]}
CONCATENATED = [[[[1.727, 2.727], [2.272, 3.272]]], [[[0.636, 0.363], [0.363, 0.636]]]]

ATTENTION = [
    Golden(
        sf.Attention(),
        [QUERY, VALUE, KEY],
        [[[[2.462, 3.462], [1.538, 2.538]]], [[[0.269, 0.731], [0.731, 0.269]]]],
        arguments=SCORES,
        digits=1e-3,
    ),
    Golden(
        sf.Attention(score_mode="concat"),
        [QUERY, VALUE, KEY],
        CONCATENATED,
        (1.0,),
        SCORES,
        digits=1e-3,
    ),
    Golden(
        sf.AdditiveAttention(use_scale=False),
        [QUERY, VALUE, KEY],
        CONCATENATED,
        arguments=SCORES,
        digits=1e-3,
    ),
    *(
        Golden(
            layer,
            [QUERY, ONES],
            [[[[1.0, 1.0], [0.0, 0.0]]], [[[1.0, 0.0], [1.0, 0.0]]]],
            arguments=MASKED,
        )
        for layer in (sf.Attention(), sf.AdditiveAttention(use_scale=False))
    ),
]

LINE = [[-1.0, -1.0, 1.0, 1.0, 2.0, 2.0, 0.0, -2.0]]
PLANE = [[[-1.0, -1.0, 2.0, 2.0], [1.0, 1.0, 0.0, -2.0]]]
PLAIN = {"scale": False, "center": False}
SIGNED = [[-10.0, -5.0, 0.0, 5.0, 10.0]]

ELEMENTS = [
    Golden(
        sf.GroupNormalization(4, **PLAIN),
        [[[-1.0, 1.0, 0.0, 2.0], [1.0, 3.0, -4.0, -2.0]]],
        [[[-1.0, -1.0, 1.0, 1.0], [1.0, 1.0, -1.0, -1.0]]],
        digits=1e-3,
    ),
    Golden(
        sf.GroupNormalization(1, **PLAIN),
        LINE,
        [[-0.898, -0.898, 0.539, 0.539, 1.257, 1.257, -0.180, -1.616]],
        digits=1e-3,
    ),
    Golden(
        sf.GroupNormalization(2, axis=1, **PLAIN),
        LINE,
        [[-1.0, -1.0, 1.0, 1.0, 0.904, 0.904, -0.301, -1.507]],
        digits=1e-3,
    ),
    Golden(
        sf.GroupNormalization(1, **PLAIN),
        PLANE,
        [[[-0.898, -0.898, 1.257, 1.257], [0.539, 0.539, -0.180, -1.616]]],
        digits=1e-3,
    ),
    Golden(
        sf.GroupNormalization(2, axis=2, **PLAIN),
        PLANE,
        [[[-1.0, -1.0, 0.904, 0.904], [1.0, 1.0, -0.301, -1.507]]],
        digits=1e-3,
    ),
    Golden(
        sf.GroupNormalization(2, axis=1),
        counted(1, 4, 2, 2),
        [
            [[[-1.5274, -1.0910], [-0.6546, -0.2182]], [[0.2182, 0.6546], [1.0910, 1.5274]]] * 2,
        ],
        (1.0, 0.0),
        digits=1e-3,
    ),
    Golden(sf.ReLU(max_value=10.0), SIGNED, [[0.0, 0.0, 0.0, 5.0, 10.0]]),
    Golden(sf.ReLU(max_value=10.0, negative_slope=0.5), SIGNED, [[-5.0, -2.5, 0.0, 5.0, 10.0]]),
    Golden(
        sf.ReLU(max_value=8.0, threshold=5.0),
        [[6.0, 7.0, 0.0, 5.0, 10.0]],
        [[6.0, 7.0, 0.0, 0.0, 8.0]],
    ),
    Golden(sf.Softmax(), [[1.0, 2.0, 1.0]] * 2, [[0.21194157, 0.5761169, 0.21194157]] * 2),
    Golden(
        sf.Softmax(axis=(1, 0)),
        [[1.0, 2.0, 1.0]] * 2,
        [[0.21194154, 0.0, 0.21194154], [0.0, 0.57611686, 0.0]],
        arguments={"mask": np.array([[1, 0, 1], [0, 1, 0]], bool)},
    ),
    Golden(
        sf.Embedding(3, 2),
        [[2, 1, 0]],
        [[[3.0, 3.0], [2.0, 2.0], [0.0, 0.0]]],
        (np.array([[0.0, 0.0], [2.0, 2.0], [3.0, 3.0]]),),
    ),
    Golden(
        sf.UpSampling2D((1, 2)),
        counted(2, 2, 1, 3),
        np.repeat(counted(2, 2, 1, 3), 2, axis=2),
    ),
    Golden(
        sf.Resizing(2, 2, "nearest"),
        counted(1, 4, 4, 1),
        np.reshape([5, 7, 13, 15], (1, 2, 2, 1)),
    ),
    Golden(
        sf.Resizing(4, 4, "nearest"),
        counted(1, 2, 2, 1),
        np.reshape([[0, 0, 1, 1]] * 2 + [[2, 2, 3, 3]] * 2, (1, 4, 4, 1)),
    ),
    Golden(
        sf.Resizing(4, 2, "nearest", crop_to_aspect_ratio=True),
        counted(1, 4, 4, 1),
        np.reshape([1, 2, 5, 6, 9, 10, 13, 14], (1, 4, 2, 1)),
    ),
]

LETTERS = column("A", "B", "C", "D", "E")
NAMES = column("omar", "stringer", "marlo", "wire", "skywalker")
NUMBERS = column(0, 1, 2, 3, 4)
ABCD, ROWS = ["a", "b", "c", "d"], [["a", "c", "d"], ["d", "z", "b"]]
REPEATED = [["a", "c", "d", "d"], ["d", "z", "b", "z"]]
FREQUENCIES = [0.25, 0.75, 0.6, 0.4]
FOO = ["foo", "bar", "baz"]

CATEGORIES = [
    Golden(sf.Hashing(3), LETTERS, column(1, 0, 1, 1, 2)),
    Golden(sf.Hashing(3, mask_value=""), column("A", "B", "", "C", "D"), column(1, 1, 0, 2, 2)),
    Golden(sf.Hashing(3, salt=[133, 137]), LETTERS, column(1, 2, 1, 0, 2)),
    Golden(sf.Hashing(3, salt=133), LETTERS, column(0, 0, 2, 1, 0)),
    Golden(sf.Hashing(1), LETTERS, column(0, 0, 0, 0, 0)),
    Golden(sf.Hashing(2), NAMES, column(0, 0, 1, 0, 0)),
    Golden(sf.Hashing(3, mask_value="omar"), NAMES, column(0, 1, 2, 1, 1)),
    Golden(sf.Hashing(2, salt=[133, 137]), NAMES, column(0, 1, 0, 1, 0)),
    Golden(sf.Hashing(2, salt=[211, 137]), NAMES, column(1, 0, 1, 0, 1)),
    Golden(sf.Hashing(3), NUMBERS, column(1, 0, 1, 0, 2)),
    Golden(sf.Hashing(3, salt=[133, 137]), NUMBERS, column(1, 1, 2, 0, 1)),
    Golden(
        sf.HashedCrossing(5),
        [["A", "B", "A", "B", "A"], [101, 101, 101, 102, 102]],
        [1, 4, 1, 1, 3],
    ),
    Golden(sf.StringLookup(vocabulary=ABCD), ROWS, [[1, 3, 4], [4, 0, 2]]),
    Golden(
        sf.StringLookup(vocabulary=ABCD, num_oov_indices=2),
        [["a", "c", "d"], ["m", "z", "b"]],
        [[2, 4, 5], [0, 1, 3]],
    ),
    Golden(
        sf.StringLookup(vocabulary=ABCD, output_mode="one_hot"),
        column("a", "b", "c", "d", "z"),
        np.eye(5)[[1, 2, 3, 4, 0]],
    ),
    Golden(
        sf.StringLookup(vocabulary=ABCD, output_mode="multi_hot"),
        REPEATED,
        [[0, 1, 0, 1, 1], [1, 0, 1, 0, 1]],
    ),
    Golden(
        sf.StringLookup(vocabulary=ABCD, output_mode="count"),
        REPEATED,
        [[0, 1, 0, 1, 2], [2, 0, 1, 0, 1]],
    ),
    Golden(
        sf.StringLookup(vocabulary=ABCD, output_mode="tf_idf", idf_weights=FREQUENCIES),
        REPEATED,
        [[0, 0.25, 0, 0.6, 0.8], [1.0, 0, 0.75, 0, 0.4]],
    ),
    Golden(
        sf.StringLookup(
            vocabulary=["[UNK]", *ABCD], output_mode="tf_idf", idf_weights=[0.9, *FREQUENCIES]
        ),
        REPEATED,
        [[0, 0.25, 0, 0.6, 0.8], [1.8, 0, 0.75, 0, 0.4]],
    ),
    Golden(
        sf.TextVectorization(vocabulary=["baz", "bar", "foo"], output_sequence_length=4),
        column("foo qux bar", "qux baz"),
        [[4, 1, 3, 0], [1, 2, 0, 0]],
    ),
    Golden(
        sf.TextVectorization(vocabulary=FOO, output_mode="count"),
        ["foo bar", "baz foo foo"],
        [[0, 1, 1, 0], [0, 2, 0, 1]],
    ),
    Golden(
        sf.TextVectorization(vocabulary=list("abcde"), split="character"),
        ["abcf"],
        [[2, 3, 4, 1]],
    ),
    Golden(
        sf.CategoryEncoding(6, "count"),
        [[0, 1], [0, 0], [1, 2], [3, 1]],
        [[1, 1, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0], [0, 1, 0, 1, 0, 0]],
    ),
    Golden(
        sf.CategoryEncoding(4, "count"),
        [[0, 1], [0, 0], [1, 2], [3, 1]],
        [[0.1, 0.2, 0, 0], [0.2, 0, 0, 0], [0, 0.2, 0.3, 0], [0, 0.2, 0, 0.4]],
        arguments={"count_weights": np.array([[0.1, 0.2], [0.1, 0.1], [0.2, 0.3], [0.4, 0.2]])},
    ),
    Golden(sf.Discretization([0.0, 0.5, 1.0]), [[-1.0, 0.0, 0.1, 0.8, 1.2]], [[0, 1, 1, 2, 3]]),
]


def answers(golden: Golden) -> list[np.ndarray]:
    layer, inputs = golden.layer, golden.inputs
    several = isinstance(golden.layer, sf.Attention | sf.AdditiveAttention | sf.HashedCrossing)
    arrays = [np.asarray(one) for one in inputs] if several else np.asarray(inputs)
    if golden.weights:
        layer.build(shape_of(arrays))
        shapes = [shape for _, _, shape in layer._slots()]
        pairs = zip(golden.weights, shapes, strict=True)
        layer.set_weights([np.broadcast_to(weight, shape) for weight, shape in pairs])
    found = layer(arrays, **golden.arguments)
    return list(found) if isinstance(found, list | tuple) else [found]


@pytest.mark.parametrize(
    "golden",
    [*RECURRENT, *ATTENTION, *ELEMENTS, *CATEGORIES],
    ids=lambda golden: type(golden.layer).__name__,
)
def test_the_published_numbers_come_out(golden: Golden) -> None:
    found = answers(golden)
    expected = golden.outputs if len(found) > 1 else [golden.outputs]
    for mine, published in zip(found, expected, strict=True):
        assert mine.shape == np.shape(published)
        np.testing.assert_allclose(mine, published, rtol=1e-6, atol=golden.digits)

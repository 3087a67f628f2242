"""Layers without a reference: numbers that a person can check, and laws that must hold."""

import math

import numpy as np
import pytest

import scratch_forward as sf
from scratch_forward import activations


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(7)


def given_weights(layer: sf.Layer, shape: tuple, generator: np.random.Generator) -> sf.Layer:
    """Build a layer for an input's shape, with random weights."""
    layer.build(shape)
    layer.set_weights(
        [
            generator.normal(0, 0.5, size)
            for inner in layer.flatten()
            for size in inner.own_weight_shapes().values()
        ]
    )
    return layer


RECURRENT = {
    "SimpleRNN": lambda **o: sf.SimpleRNN(3, **o),
    "LSTM": lambda **o: sf.LSTM(3, **o),
    "GRU": lambda **o: sf.GRU(3, **o),
    "GRU before": lambda **o: sf.GRU(3, reset_after=False, **o),
    "stack": lambda **o: sf.RNN([sf.LSTMCell(4), sf.GRUCell(3)], **o),
    "Bidirectional": lambda **o: sf.Bidirectional(sf.LSTM(3, **o)),
}
every_recurrent = pytest.mark.parametrize("make", RECURRENT.values(), ids=RECURRENT)


# By hand


def test_dense_by_hand() -> None:
    layer = sf.Dense(2, "relu")
    layer.build((None, 2))
    layer.set_weights([[[1, 2], [3, -4]], [0.5, 1]])
    assert layer(np.array([[1.0, 2.0]])).tolist() == [[7.5, 0.0]]


def test_convolution_pooling_and_padding_by_hand() -> None:
    x = np.arange(1.0, 6.0).reshape(1, 5, 1)
    layer = sf.Conv1D(1, 2, padding="same", use_bias=False)
    layer.build(x.shape)
    layer.set_weights([[[[1.0]], [[10.0]]]])
    assert layer(x).ravel().tolist() == [21, 32, 43, 54, 5]  # the padding comes after
    assert sf.MaxPooling1D(2, padding="same")(x).ravel().tolist() == [2, 4, 5]
    assert sf.AveragePooling1D(2, padding="same")(x).ravel().tolist() == [1.5, 3.5, 5]
    assert sf.AveragePooling1D(2)(x).ravel().tolist() == [1.5, 3.5]
    assert sf.MaxPooling1D(2, padding="same")(-x).ravel().tolist() == [-1, -3, -5]


def test_same_padding_with_strides_pads_after_only() -> None:
    x = np.ones((1, 3, 3, 1))
    layer = sf.Conv2D(1, 2, strides=2, padding="same", use_bias=False)
    layer.build(x.shape)
    layer.set_weights([np.ones((2, 2, 1, 1))])
    assert layer(x)[0, :, :, 0].tolist() == [[4, 2], [2, 1]]


def test_simple_rnn_by_hand() -> None:
    layer = sf.SimpleRNN(1, activation="linear", return_sequences=True)
    layer.build((None, None, 1))
    layer.set_weights([[[2.0]], [[0.5]], [1.0]])
    x = np.array([1.0, 0.0, 3.0]).reshape(1, 3, 1)
    assert layer(x).ravel().tolist() == [3, 2.5, 8.25]
    assert layer(x, mask=np.array([[True, False, True]])).ravel().tolist() == [3, 3, 8.5]


def test_lstm_gates_stand_in_the_order_input_forget_candidate_output() -> None:
    cell = sf.LSTMCell(1)
    cell.build((None, 1))
    i, f, c, o = 0.1, 0.2, 0.3, 0.4
    cell.set_weights([np.zeros((1, 4)), np.zeros((1, 4)), [i, f, c, o]])

    def gate(z: float) -> float:
        return 1 / (1 + math.exp(-z))

    state = gate(f) * 2 + gate(i) * math.tanh(c)
    output, states = cell(np.zeros((1, 1)), [np.zeros((1, 1)), np.full((1, 1), 2.0)])
    assert output.item() == pytest.approx(gate(o) * math.tanh(state), rel=1e-6)
    assert states[1].item() == pytest.approx(state, rel=1e-6)


def test_gru_reset_acts_after_or_before_the_recurrent_product() -> None:
    for reset_after in (True, False):
        cell = sf.GRUCell(
            1, reset_after=reset_after, recurrent_activation="linear", activation="linear"
        )
        cell.build((None, 1))
        bias = [[0, 0.5, 0], [0, 0, 2.0]] if reset_after else [0, 0.5, 0]
        cell.set_weights([np.zeros((1, 3)), [[0, 0, 3.0]], bias])
        output, _ = cell(np.zeros((1, 1)), [np.full((1, 1), 4.0)])
        assert output.item() == (0.5 * (4 * 3 + 2) if reset_after else 0.5 * 4 * 3)


def test_batch_normalization_by_hand() -> None:
    layer = sf.BatchNormalization(epsilon=0)
    layer.build((None, 1))
    layer.set_weights([[3.0], [1.0], [5.0], [4.0]])  # gamma, beta, mean, variance
    assert layer(np.array([[7.0]])).item() == 4.0


@pytest.mark.parametrize(
    ("center", "spread", "epsilon"),
    [
        *((0, 1, 1e-3), (3, 1, 1e-3), (1000, 1e-3, 1e-12), (-1e5, 1, 1e-12)),
        *((0, 1e25, 1e-3), (1e30, 1e28, 0), (0, 1e-25, 0)),
    ],
    ids=["usual", "shifted", "nearly equal", "far off", "large", "large and far off", "small"],
)
def test_layer_normalization_is_exact_to_a_few_ulp(center, spread, epsilon, generator) -> None:
    layer = sf.LayerNormalization(epsilon=epsilon)
    x = generator.normal(center, spread, (6, 5, 64)).astype(np.float32)
    layer.build((None, 5, 64))
    layer.set_weights([np.ones(64, np.float32), np.zeros(64, np.float32)])
    wide = x.astype(np.longdouble)
    wide -= wide.mean(axis=-1, keepdims=True)
    expected = wide / np.sqrt(np.square(wide).mean(axis=-1, keepdims=True) + epsilon)
    np.testing.assert_allclose(layer(x), expected, rtol=0, atol=1e-6)


def test_layer_normalization_of_a_row_with_nan_leaves_the_others(generator) -> None:
    layer = given_weights(sf.LayerNormalization(), (None, 8), generator)
    x = generator.normal(size=(4, 8)).astype(np.float32)
    expected = layer(x)
    x[1, 3] = np.nan
    found = layer(x)
    assert np.isnan(found[1]).all()
    np.testing.assert_allclose(np.delete(found, 1, 0), np.delete(expected, 1, 0), atol=1e-6)


def test_embedding_ids_are_looked_up_as_keras_does_on_the_cpu() -> None:
    layer = sf.Embedding(3, 1, mask_zero=True)
    layer.build((None, None))
    layer.set_weights([[[10.0], [11.0], [12.0]]])
    outputs, mask = layer.run(np.array([[2.9, -1.0, 0.5, 0.0]]))
    assert outputs.ravel().tolist() == [12, 12, 10, 10]
    assert mask.tolist() == [[True, True, True, False]]
    with pytest.raises(ValueError, match="from 0 to 2"):
        layer(np.array([[3]]))


def test_masked_average_of_a_row_without_steps_is_nan() -> None:
    x = np.array([[[1.0], [3.0]], [[1.0], [3.0]]])
    mask = np.array([[True, False], [False, False]])
    assert np.array_equal(
        sf.GlobalAveragePooling1D()(x, mask=mask), [[1], [np.nan]], equal_nan=True
    )


def test_activations_by_hand() -> None:
    x = np.array([-4.0, -1.0, 0.0, 0.5, 4.0])
    assert activations.hard_sigmoid(x).tolist() == pytest.approx([0, 1 / 3, 0.5, 3.5 / 6, 1])
    assert activations.leaky_relu(x).tolist() == pytest.approx([-0.8, -0.2, 0, 0.5, 4])
    assert sf.LeakyReLU()(x).tolist() == pytest.approx([-1.2, -0.3, 0, 0.5, 4])
    assert activations.relu(x, 0.5, 3, 1).tolist() == [-2.5, -1, -0.5, -0.25, 3]
    assert activations.soft_shrink(x).tolist() == [-3.5, -0.5, 0, 0, 3.5]
    assert activations.softmax(np.array([[0.0, math.log(3)]])).tolist() == [
        pytest.approx([0.25, 0.75])
    ]


@pytest.mark.parametrize("shape", [(200, 10), (40, 32), (40, 33), (31, 3), (4, 5, 6, 7), (0, 3)])
def test_softmax_of_many_rows_is_that_of_each_row(shape, generator) -> None:
    x = generator.normal(0, 5, shape).astype(np.float32)
    x.reshape(-1)[:40:11] = -np.inf
    x.reshape(-1)[41:80:13] = np.nan
    rows = [activations.softmax(row) for row in x.reshape(-1, shape[-1])]
    found = activations.softmax(x)
    assert found.shape == shape
    assert found.flags.c_contiguous
    np.testing.assert_allclose(
        found.reshape(-1, shape[-1]), np.reshape(rows, (-1, shape[-1])), 1e-6
    )


def test_erf_is_exact_in_float64() -> None:
    x = np.concatenate([np.linspace(-7, 7, 20011), [np.inf, -np.inf, -0.0]])
    exact = np.array([math.erf(value) for value in x])
    assert np.abs(activations.erf(x) - exact).max() <= 2.3e-16
    assert np.isnan(activations.erf(np.array([np.nan]))).all()


def test_gelu_is_within_one_ulp_of_exact() -> None:
    x = np.linspace(-6, 6, 4001).astype(np.float32)
    exact = [0.5 * v * math.erfc(-v / math.sqrt(2)) for v in x.astype(np.float64)]
    error = np.abs(activations.gelu(x) - np.array(exact)) / np.spacing(np.float32(np.abs(exact)))
    assert error.max() <= 1


# Laws


@every_recurrent
def test_trailing_padding_does_not_matter_under_a_mask(make, generator) -> None:
    layer = given_weights(make(), (None, None, 4), generator)
    x = generator.normal(size=(5, 6, 4))
    padded = np.concatenate([x, generator.normal(size=(5, 3, 4))], axis=1)
    mask = np.arange(9) < 6
    np.testing.assert_allclose(
        layer(padded, mask=np.tile(mask, (5, 1))), layer(x), rtol=0, atol=1e-6
    )


@every_recurrent
def test_masked_steps_do_not_matter_wherever_they_are(make, generator) -> None:
    layer = given_weights(make(), (None, None, 4), generator)
    x = generator.normal(size=(1, 7, 4))
    mask = np.array([[False, True, True, False, True, False, True]])
    np.testing.assert_allclose(layer(x, mask=mask), layer(x[:, mask[0]]), rtol=0, atol=1e-6)


@every_recurrent
def test_a_row_without_steps_gives_zeros(make, generator) -> None:
    layer = given_weights(make(), (None, None, 4), generator)
    x = generator.normal(size=(2, 5, 4))
    assert not layer(x, mask=np.zeros((2, 5), bool)).any()


@every_recurrent
def test_splitting_and_permuting_a_batch_changes_nothing(make, generator) -> None:
    layer = given_weights(make(), (None, None, 4), generator)
    x, mask = generator.normal(size=(7, 5, 4)), generator.random((7, 5)) > 0.3
    whole = layer(x, mask=mask)
    parts = [layer(x[rows], mask=mask[rows]) for rows in (slice(0, 3), slice(3, 7))]
    order = generator.permutation(7)
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=0, atol=1e-6)
    np.testing.assert_allclose(layer(x[order], mask=mask[order]), whole[order], rtol=0, atol=1e-6)


def test_going_backwards_is_reversing_the_input(generator) -> None:
    forward = given_weights(sf.LSTM(3, return_sequences=True), (None, None, 4), generator)
    backward = sf.LSTM(3, return_sequences=True, go_backwards=True)
    backward.build((None, None, 4))
    backward.set_weights(forward.get_weights())
    x = generator.normal(size=(2, 5, 4))
    assert np.array_equal(backward(x[:, ::-1]), forward(x))


def test_bidirectional_is_two_layers_side_by_side(generator) -> None:
    both = given_weights(
        sf.Bidirectional(sf.GRU(3, return_sequences=True)), (None, None, 4), generator
    )
    x = generator.normal(size=(2, 5, 4))
    halves = []
    for backwards, weights in ((False, both.get_weights()[:3]), (True, both.get_weights()[3:])):
        layer = sf.GRU(3, return_sequences=True, go_backwards=backwards)
        layer.build((None, None, 4))
        layer.set_weights(weights)
        halves.append(layer(x)[:, ::-1] if backwards else layer(x))
    assert np.array_equal(both(x), np.concatenate(halves, axis=-1))


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU", "GRU before", "stack"])
def test_stepping_a_cell_equals_running_the_layer(name, generator) -> None:
    layer = given_weights(
        RECURRENT[name](return_sequences=True, return_state=True), (None, None, 4), generator
    )
    x = generator.normal(size=(3, 6, 4))
    outputs, *last = layer(x)
    states = None
    for t in range(6):
        output, states = layer.cell(x[:, t], states)
        np.testing.assert_allclose(output, outputs[:, t], rtol=0, atol=1e-6)
    for state, expected in zip(states, last, strict=True):
        np.testing.assert_allclose(state, expected, rtol=0, atol=1e-6)


def test_states_carry_a_sequence_on(generator) -> None:
    layer = given_weights(sf.LSTM(3, return_state=True), (None, None, 4), generator)
    x = generator.normal(size=(2, 8, 4))
    whole = layer(x)
    _, *states = layer(x[:, :5])
    rest = layer(x[:, 5:], initial_state=states)
    for part, expected in zip(rest, whole, strict=True):
        np.testing.assert_allclose(part, expected, rtol=0, atol=1e-6)


def test_stateful_layers_continue_until_they_are_reset(generator) -> None:
    plain = given_weights(sf.GRU(3), (None, None, 4), generator)
    stateful = sf.GRU(3, stateful=True)
    stateful.build((None, None, 4))
    stateful.set_weights(plain.get_weights())
    x = generator.normal(size=(2, 8, 4))
    first = stateful(x[:, :3])
    np.testing.assert_allclose(stateful(x[:, 3:]), plain(x), rtol=0, atol=1e-6)
    stateful.reset_state()
    assert np.array_equal(stateful(x[:, :3]), first)
    with pytest.raises(ValueError, match="starts from states"):
        stateful(x[:1])


def test_dilation_is_a_kernel_with_zeros_between(generator) -> None:
    dilated = given_weights(sf.Conv2D(3, 3, dilation_rate=2), (None, 9, 8, 2), generator)
    kernel, bias = dilated.get_weights()
    wide = np.zeros((5, 5, 2, 3))
    wide[::2, ::2] = kernel
    explicit = sf.Conv2D(3, 5)
    explicit.build((None, 9, 8, 2))
    explicit.set_weights([wide, bias])
    x = generator.normal(size=(2, 9, 8, 2))
    np.testing.assert_allclose(dilated(x), explicit(x), rtol=0, atol=1e-5)


def test_strides_skip_outputs(generator) -> None:
    every = given_weights(sf.Conv2D(3, 3), (None, 9, 8, 2), generator)
    second = sf.Conv2D(3, 3, strides=2)
    second.build((None, 9, 8, 2))
    second.set_weights(every.get_weights())
    x = generator.normal(size=(2, 9, 8, 2))
    np.testing.assert_allclose(second(x), every(x)[:, ::2, ::2], rtol=0, atol=1e-6)


def test_a_causal_output_sees_no_later_input(generator) -> None:
    layer = given_weights(
        sf.Conv1D(3, 3, padding="causal", dilation_rate=2), (None, None, 2), generator
    )
    x = generator.normal(size=(1, 9, 2))
    changed = x.copy()
    changed[:, 5:] += 1
    assert np.array_equal(layer(x)[:, :5], layer(changed)[:, :5])
    assert not np.array_equal(layer(x)[:, 5], layer(changed)[:, 5])


def test_groups_are_separate_convolutions(generator) -> None:
    grouped = given_weights(sf.Conv2D(4, 3, groups=2), (None, 6, 6, 6), generator)
    kernel, bias = grouped.get_weights()
    x = generator.normal(size=(2, 6, 6, 6))
    halves = []
    for group in (0, 1):
        part = sf.Conv2D(2, 3)
        part.build((None, 6, 6, 3))
        out = slice(2 * group, 2 * group + 2)
        part.set_weights([kernel[..., out], bias[out]])
        halves.append(part(x[..., 3 * group : 3 * group + 3]))
    np.testing.assert_allclose(grouped(x), np.concatenate(halves, -1), rtol=0, atol=1e-6)


def test_a_depthwise_convolution_is_one_group_for_each_channel(generator) -> None:
    depthwise = given_weights(sf.DepthwiseConv2D(3, depth_multiplier=2), (None, 6, 7, 3), generator)
    kernel, bias = depthwise.get_weights()
    grouped = sf.Conv2D(6, 3, groups=3)
    grouped.build((None, 6, 7, 3))
    grouped.set_weights([kernel.reshape(3, 3, 1, 6), bias])
    x = generator.normal(size=(2, 6, 7, 3))
    np.testing.assert_allclose(depthwise(x), grouped(x), rtol=0, atol=1e-6)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_channels_first_is_channels_last_transposed(padding, generator) -> None:
    last = given_weights(sf.Conv2D(3, 3, padding=padding), (None, 6, 7, 2), generator)
    first = sf.Conv2D(3, 3, padding=padding, data_format="channels_first")
    first.build((None, 2, 6, 7))
    first.set_weights(last.get_weights())
    x = generator.normal(size=(2, 6, 7, 2))
    assert np.array_equal(np.moveaxis(first(np.moveaxis(x, -1, 1)), 1, -1), last(x))


def test_permuting_twice_gives_the_input_back(generator) -> None:
    x = generator.normal(size=(2, 3, 4)).astype(np.float32)
    assert np.array_equal(sf.Permute((2, 1))(sf.Permute((2, 1))(x)), x)


def test_normalization_undoes_its_inverse(generator) -> None:
    x = generator.normal(size=(4, 3))
    moments = {"mean": [1.0, 2.0, 3.0], "variance": [4.0, 1.0, 9.0]}
    there = sf.Normalization(**moments)(x)
    np.testing.assert_allclose(sf.Normalization(invert=True, **moments)(there), x, atol=1e-5)


# Training


def test_dropout_drops_its_share_and_keeps_the_mean() -> None:
    x = np.ones((100, 1000), np.float32)
    layer = sf.Dropout(0.25)
    y = layer(x, training=True, seed=3)
    assert set(np.unique(y)) == {0, np.float32(1 / 0.75)}
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.01)
    assert np.array_equal(y, layer(x, training=True, seed=3))
    assert not np.array_equal(y, layer(x, training=True, seed=4))
    assert np.array_equal(layer(x), x)


def test_spatial_dropout_drops_whole_channels() -> None:
    y = sf.SpatialDropout1D(0.5)(np.ones((4, 5, 50)), training=True, seed=0)
    assert np.array_equal(y, np.broadcast_to(y[:, :1], y.shape))
    assert 0 < (y == 0).mean() < 1


@pytest.mark.parametrize(("dropout", "recurrent"), [(0.5, 0.0), (0.0, 0.5), (0.5, 0.5)])
@pytest.mark.parametrize("cls", [sf.SimpleRNN, sf.LSTM, sf.GRU])
def test_recurrent_dropout_is_random_seeded_and_off_at_inference(
    cls, dropout, recurrent, generator
) -> None:
    layer = given_weights(
        cls(3, dropout=dropout, recurrent_dropout=recurrent), (None, None, 4), generator
    )
    plain = cls(3)
    plain.build((None, None, 4))
    plain.set_weights(layer.get_weights())
    x = generator.normal(size=(6, 5, 4))
    assert np.array_equal(layer(x), plain(x))
    first = layer(x, training=True, seed=1)
    assert np.array_equal(first, layer(x, training=True, seed=1))
    assert not np.array_equal(first, layer(x, training=True, seed=2))


def test_recurrent_dropout_keeps_the_mean_where_all_is_linear() -> None:
    layer = sf.SimpleRNN(1, activation="linear", dropout=0.5, recurrent_dropout=0.5)
    layer.build((None, None, 1))
    layer.set_weights([[[1.0]], [[0.25]], [0.0]])
    x = np.ones((20_000, 2, 1))
    dropped = layer(x, training=True, seed=5)
    assert set(np.unique(dropped)) == {0, 2, 3}  # x twice or never; 0.25 of 2 twice or never
    assert dropped.mean() == pytest.approx(1.25, abs=0.03)


def test_batch_normalization_in_training_normalises_the_batch(generator) -> None:
    layer = given_weights(sf.BatchNormalization(center=False, scale=False), (None, 3), generator)
    y = layer(generator.normal(5, 3, size=(500, 3)), training=True)
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(y.std(axis=0), 1, atol=1e-2)


def test_batch_normalization_in_training_leaves_masked_steps_out_of_the_statistics() -> None:
    layer = sf.BatchNormalization(center=False, scale=False, epsilon=0)
    layer.build((None, None, 1))
    layer.set_weights([[0.0], [1.0]])
    x = np.array([[[1.0], [3.0], [100.0]]])
    y = layer(x, mask=np.array([[True, True, False]]), training=True)
    assert y[0, :2, 0].tolist() == [-1, 1]


# Refusals


@pytest.mark.parametrize(
    ("make", "option"),
    [
        (lambda: sf.Input(5), "shape"),
        (lambda: sf.InputLayer(batch_shape={"keras_history": []}), "batch_shape"),
        (lambda: sf.Dense(0), "units"),
        (lambda: sf.Dense(3, "reluu"), "activation"),
        (lambda: sf.Dense(3, sf.PReLU()), "activation"),
        (lambda: sf.Conv2D(3, (3, 0)), "kernel_size"),
        (lambda: sf.Conv2D(3, 3, padding="full"), "padding"),
        (lambda: sf.Conv2D(3, 3, padding="causal"), "padding"),
        (lambda: sf.Conv2D(3, 3, strides=2, dilation_rate=2), "dilation_rate"),
        (lambda: sf.Conv2D(3, 3, groups=2), "groups"),
        (lambda: sf.LSTM(3, dropout=1.5), "dropout"),
        (lambda: sf.Bidirectional(sf.Dense(3)), "layer"),
        (lambda: sf.Bidirectional(sf.LSTM(3), merge_mode="max"), "merge_mode"),
        (lambda: sf.Bidirectional(sf.LSTM(3), backward_layer=sf.LSTM(3)), "go_backwards"),
        (lambda: sf.Dropout(-0.1), "rate"),
        (lambda: sf.Permute((1, 3)), "dims"),
        (lambda: sf.Reshape((-1, -1)), "target_shape"),
        (lambda: sf.Normalization(mean=[1.0]), "variance"),
        (lambda: sf.RNN(sf.Dense(2)), "cell"),
    ],
)
def test_an_option_that_is_wrong_is_named_with_its_value(make, option) -> None:
    with pytest.raises(sf.InvalidOption, match=option):
        make()

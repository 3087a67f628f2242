"""Whole models that Keras saved, loaded and run without it: named ones and random ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")

import keras
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras import layers as kl

import scratch_forward as sf
from tests.support.whole_models import (
    SHAPE,
    assert_equal_to_keras,
    fill,
    inputs_for,
)

pytestmark = pytest.mark.filterwarnings("ignore")


def masked_input() -> tuple[Any, Any]:
    """Return an input and its masked values."""
    x = keras.Input(SHAPE)
    return x, kl.Masking()(x)


def initial_state() -> Any:
    x, masked = masked_input()
    _, h, c = kl.LSTM(3, return_state=True)(masked)
    decoded = kl.LSTM(3, return_sequences=True)(masked, initial_state=[h, c])
    return keras.Model(x, [decoded, kl.GRU(2)(decoded)])


def positional_state() -> Any:
    x, masked = masked_input()
    _, h = kl.GRU(3, return_state=True)(masked)
    return keras.Model(x, kl.GRU(3)(x, [h]))


def masks_through_merges() -> Any:
    ids = keras.Input((SHAPE[0],))
    embedded = kl.Embedding(10, 4, mask_zero=True)(ids)
    both = kl.Bidirectional(kl.LSTM(2, return_sequences=True))(embedded)
    total = kl.Add()([embedded, both])
    joined = kl.Concatenate()([total, both])
    return keras.Model(ids, [kl.GlobalAveragePooling1D()(joined), kl.GRU(2)(total)])


def mixed_masks() -> Any:
    x, masked = masked_input()
    other = kl.Dense(4)(x)
    merged = [cls()([masked, other]) for cls in (kl.Maximum, kl.Multiply, kl.Average, kl.Subtract)]
    return keras.Model(x, [kl.LSTM(2)(y) for y in merged])


def shared_layers() -> Any:
    first, second = keras.Input((4,)), keras.Input((4,))
    dense, late = kl.Dense(4, name="zz"), kl.Dense(4, name="aa", activation=kl.LeakyReLU())
    return keras.Model(
        [first, second], [late(dense(dense(first))), kl.Dot(1)([dense(second), first])]
    )


def nested_models() -> Any:
    x, masked = masked_input()
    inner = keras.Sequential([keras.Input(SHAPE), kl.GRU(4, return_sequences=True)])
    a = keras.Input(SHAPE)
    graph = keras.Model(a, [kl.LSTM(4, return_sequences=True)(a), a])
    return keras.Model(x, [kl.GRU(2)(inner(masked)), kl.GRU(2)(graph(graph(masked)[1])[0])])


def dictionaries() -> Any:
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    return keras.Model({"a": a, "b": b}, {"z": kl.Dense(2)(a), "c": kl.Add()([a, kl.Dense(4)(b)])})


def arithmetic() -> Any:
    x = keras.Input((4,))
    return keras.Model(x, kl.Dense(2)((2.0 * kl.Dense(4)(x) + 1.0 - x) / 3.0 * -x))


def wrapped() -> Any:
    x = keras.Input((3, 6, 6, 2))
    images = keras.Sequential([kl.Conv2D(3, 3), kl.BatchNormalization(), kl.ReLU(), kl.Flatten()])
    return keras.Model(x, kl.LSTM(3)(kl.TimeDistributed(images)(x)))


def documents_of_sentences() -> Any:
    ids = keras.Input((3, SHAPE[0]))
    words = kl.Embedding(10, 4, mask_zero=True)(ids)  # its mask has one axis more than time
    return keras.Model(ids, kl.Flatten()(kl.TimeDistributed(kl.LSTM(3))(words)))


def two_outputs_of_bidirectional() -> Any:
    x, masked = masked_input()
    layer = kl.Bidirectional(kl.LSTM(3, return_sequences=True, return_state=True), merge_mode=None)
    return keras.Model(x, list(layer(masked)))


def stacked_cells() -> Any:
    x, masked = masked_input()
    cells = [kl.LSTMCell(3), kl.GRUCell(4), kl.GRUCell(2, reset_after=False), kl.SimpleRNNCell(3)]
    return keras.Model(x, kl.RNN(cells, return_sequences=True)(masked))


def convolutions() -> Any:
    x = keras.Input((16, 15, 3))
    y = kl.Conv2D(8, 3, padding="same", activation="relu")(x)
    y = kl.MaxPooling2D(2)(kl.BatchNormalization()(y))
    left = kl.SeparableConv2D(8, 3, padding="same")(y)
    right = kl.DepthwiseConv2D(3, padding="same", activation="gelu")(y)
    y = kl.Activation("silu")(kl.Add()([left, right]))
    return keras.Model(x, kl.Dense(10, "softmax")(kl.Flatten()(kl.AveragePooling2D(2)(y))))


def adapted() -> Any:
    norm = kl.Normalization()
    norm.adapt(np.random.default_rng(0).normal(3, 2, (50, *SHAPE)))
    return keras.Sequential([keras.Input(SHAPE), norm, kl.Rescaling(2.0, -1.0), kl.Dense(2)])


def without_an_input() -> Any:
    model = keras.Sequential([kl.LSTM(3, return_sequences=True), kl.Dense(2)])
    model(np.zeros((1, *SHAPE), np.float32))
    return model


MODELS: list[Callable[[], Any]] = [
    *(initial_state, positional_state, masks_through_merges, mixed_masks, shared_layers),
    *(nested_models, dictionaries, arithmetic, wrapped, two_outputs_of_bidirectional),
    *(documents_of_sentences, stacked_cells, convolutions, adapted, without_an_input),
]


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_a_saved_model_predicts_as_keras_does(make, tmp_path) -> None:
    model = fill(make())
    x = None
    if make is dictionaries:
        x = {name: np.random.default_rng(2).normal(size=(7, 4)) for name in ("a", "b")}
    assert_equal_to_keras(model, tmp_path, x)


def test_a_live_model_and_its_weights_file_give_the_same(tmp_path) -> None:
    model = fill(masks_through_merges())
    x = inputs_for(model)
    live = sf.from_keras(model)
    model.save(tmp_path / "m.keras")
    model.save_weights(tmp_path / "m.weights.h5")
    fresh = sf.from_keras(masks_through_merges())
    fresh.load_weights(tmp_path / "m.weights.h5")
    again = sf.from_keras(masks_through_merges())
    again.load_weights(tmp_path / "m.keras")
    for other in (fresh, again):
        for mine, expected in zip(other.predict(x), live.predict(x), strict=True):
            np.testing.assert_array_equal(mine, expected)


def test_a_graph_made_by_hand_has_the_weight_paths_of_keras(tmp_path) -> None:
    def make(library: Any, model_class: Any) -> Any:
        a, b = library.Input((4,), name="a"), library.Input((4,), name="b")
        late, early = library.Dense(3, name="late"), library.Dense(4, name="early")
        branch = library.Dense(3, name="branch")(b)
        y = library.Add(name="add")([late(early(a)), branch])
        return model_class({"x": b, "a": a}, {"y": y, "b": branch})

    theirs = fill(make(kl, keras.Model))
    ours = make(sf, sf.Model)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    theirs.save_weights(tmp_path / "m.weights.h5")
    ours.load_weights(tmp_path / "m.weights.h5")
    for array, weight in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(array, weight)


def test_a_model_that_reads_text_predicts_from_raw_text(tmp_path) -> None:
    texts = ["Bagus sekali, bagus!", "jelek", "", "¿Bagus? ÀÉ jelek"]
    vectorize = kl.TextVectorization(output_sequence_length=6)
    vectorize.adapt(texts)
    model = fill(
        keras.Sequential(
            [
                keras.Input((), dtype="string"),
                vectorize,
                kl.Embedding(10, 4, mask_zero=True),
                kl.GRU(3),
                kl.Dense(2, "softmax"),
            ]
        )
    )
    model.save(tmp_path / "m.keras")
    expected = np.asarray(model(keras.ops.convert_to_tensor(texts)))
    for ours in (sf.load(tmp_path / "m.keras"), sf.from_keras(model)):
        np.testing.assert_allclose(ours.predict(texts), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("policy", ["bfloat16", "float16", "mixed_float16", "mixed_bfloat16"])
def test_half_precision_weights_are_read_and_computed_in_float32(policy, tmp_path) -> None:
    model = keras.Sequential(
        [keras.Input((4,)), kl.Dense(8, "tanh", dtype=policy), kl.Dense(2, dtype=policy)]
    )
    fill(model).save(tmp_path / "m.keras")
    ours = sf.load(tmp_path / "m.keras")
    full = keras.Sequential([keras.Input((4,)), kl.Dense(8, "tanh"), kl.Dense(2)])
    full.set_weights([np.asarray(w, np.float32) for w in ours.get_weights()])
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    assert ours.predict(x).dtype == np.float32
    np.testing.assert_allclose(ours.predict(x), np.asarray(full(x)), rtol=0, atol=1e-6)
    np.testing.assert_allclose(ours.predict(x), np.asarray(model(x), np.float32), rtol=0, atol=0.05)


def test_stateful_models_carry_their_states_as_keras_does(tmp_path) -> None:
    model = fill(
        keras.Sequential(
            [
                keras.Input(batch_shape=(3, *SHAPE)),
                kl.LSTM(3, stateful=True, return_sequences=True),
                kl.Bidirectional(kl.GRU(2, stateful=True)),
            ]
        )
    )
    model.save(tmp_path / "m.keras")
    ours = sf.load(tmp_path / "m.keras")
    generator = np.random.default_rng(0)
    model(np.zeros((3, *SHAPE)))
    for layer in model.layers:
        layer.reset_states() if hasattr(layer, "reset_states") else layer.reset_state()
    for _ in range(3):
        x = generator.normal(size=(3, *SHAPE)).astype(np.float32)
        np.testing.assert_allclose(ours.predict(x), np.asarray(model(x)), rtol=0, atol=1e-6)


# Random models

RANKS = {
    3: [
        "Dense",
        "LSTM",
        "GRU",
        "SimpleRNN",
        "Bidirectional",
        "Conv1D",
        "MaxPooling1D",
        "AveragePooling1D",
        "BatchNormalization",
        "LayerNormalization",
        "Masking",
        "Dropout",
        "Activation",
        "GlobalAveragePooling1D",
        "GlobalMaxPooling1D",
        "Flatten",
        "PReLU",
        "TimeDistributed",
        "ZeroPadding1D",
        "Permute",
        "RNN",
    ],
    2: [
        "Dense",
        "BatchNormalization",
        "LayerNormalization",
        "Activation",
        "RepeatVector",
        "Dropout",
        "PReLU",
    ],
}


@st.composite
def random_layers(draw: Any) -> list[tuple[str, dict[str, Any]]]:
    """Draw layers that fit one another; the fewer and plainer the better, when shrinking."""
    rank, layers = 3, []
    for _ in range(draw(st.integers(1, 5))):
        name = draw(st.sampled_from(RANKS[rank]))
        keep = draw(st.booleans())
        size = draw(st.integers(1, 3))
        layers.append((name, {"size": size, "flag": keep, "choice": draw(st.integers(0, 2))}))
        recurrent = name in ("LSTM", "GRU", "SimpleRNN", "Bidirectional", "RNN")
        if name in ("GlobalAveragePooling1D", "GlobalMaxPooling1D", "Flatten") or (
            recurrent and not keep
        ):
            rank = 2
        elif name == "RepeatVector":
            rank = 3
    return layers


def make_layer(name: str, size: int, flag: bool, choice: int) -> Any:
    """Build a Keras layer from a random description."""
    activation = ("tanh", "relu", "sigmoid")[choice]
    cells = {"LSTM": kl.LSTM, "GRU": kl.GRU, "SimpleRNN": kl.SimpleRNN}
    if name in cells:
        return cells[name](size, return_sequences=flag, go_backwards=choice == 1)
    if name == "Bidirectional":
        inner = list(cells.values())[choice](size, return_sequences=flag)
        return kl.Bidirectional(inner, merge_mode=("concat", "sum", "mul")[choice])
    if name == "RNN":
        return kl.RNN([kl.GRUCell(size), kl.LSTMCell(size + 1)], return_sequences=flag)
    if name == "Conv1D":
        padding = ("same", "causal", "valid")[choice]
        return kl.Conv1D(size, 1 + flag * (choice < 2), padding=padding)
    if name in ("MaxPooling1D", "AveragePooling1D"):
        return getattr(kl, name)(2, strides=size, padding="same")
    if name == "TimeDistributed":
        return kl.TimeDistributed(kl.Dense(size, activation))
    arguments = {
        "Dense": (size, activation),
        "Activation": (activation,),
        "Dropout": (0.5,),
        "RepeatVector": (size,),
        "ZeroPadding1D": (size,),
        "Permute": ((2, 1),),
    }
    return getattr(kl, name)(*arguments.get(name, ()))


def check_random_model(layers: list[tuple[str, dict[str, Any]]], path: Path) -> None:
    """Compare a random row of layers, as a Sequential and with a branch around its first."""
    keras.utils.clear_session(free_memory=False)
    built = [make_layer(name, **options) for name, options in layers]
    model = fill(keras.Sequential([keras.Input(SHAPE), *built]))
    assert_equal_to_keras(model, path, magnified=True)
    ids = keras.Input((SHAPE[0],))
    y = branch = kl.Embedding(10, 4, mask_zero=True)(ids)
    for layer in [make_layer(name, **options) for name, options in layers]:
        y = layer(y)
    model = fill(keras.Model(ids, [y, kl.GRU(2)(branch)]))
    assert_equal_to_keras(model, path, magnified=True)


def examples(count: int) -> settings:
    """Give the first so many examples, the same in every run."""
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@examples(3)
@given(layers=random_layers())
def test_random_models_predict_as_keras_does(layers, tmp_path) -> None:
    check_random_model(layers, tmp_path)


@pytest.mark.slow
@examples(25)
@given(layers=random_layers())
def test_more_random_models_predict_as_keras_does(layers, tmp_path) -> None:
    check_random_model(layers, tmp_path)


@pytest.mark.slow
@pytest.mark.long  # minutes
@examples(200)
@given(layers=random_layers())
def test_many_random_models_predict_as_keras_does(layers, tmp_path) -> None:
    check_random_model(layers, tmp_path)


def test_an_embedding_is_called_in_both_directions(tmp_path) -> None:
    ids = keras.Input((5,))
    embedding = kl.ReversibleEmbedding(10, 4, mask_zero=True)
    logits = embedding(kl.GRU(4, return_sequences=True)(embedding(ids)), reverse=True)
    assert_equal_to_keras(fill(keras.Model(ids, logits)), tmp_path)

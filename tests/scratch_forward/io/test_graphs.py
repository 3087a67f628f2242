"""Graphs that Keras saved: structures of inputs, call forms, models inside models, operations."""

import json
import random
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")

import keras
from keras import layers as kl
from keras import ops

import scratch_forward as sf
from tests.support import archives
from tests.support.keras_models import answer, assert_agrees, assert_close, fill, normal

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:keras")


def title_and_body() -> tuple[Any, Any, Any]:
    """Two inputs that are not exchangeable, and what is computed from them."""
    title, body = keras.Input((3,), name="title"), keras.Input((3,), name="body")
    joined = kl.Concatenate()([kl.Dense(4)(title), kl.Dense(2, activation="relu")(body)])
    return title, body, kl.Dense(2)(joined)


# Inputs and outputs


@pytest.mark.parametrize("keys", [("title", "body"), ("x", "a"), ("a", "x")])
def test_a_dict_of_inputs_goes_by_its_keys(keys, tmp_path) -> None:
    title, body, y = title_and_body()
    model = fill(keras.Model(dict(zip(keys, (title, body), strict=True)), y))
    a, b = normal(5, 3), normal(5, 3, seed=1)
    x = dict(zip(keys, (a, b), strict=True))
    ours = assert_agrees(model, x, tmp_path)
    expected = answer(model, x)
    turned = dict(reversed(x.items()))
    assert_close(ours.predict(turned), expected)
    assert_close(ours(turned), expected)


def test_keys_that_a_model_does_not_know_are_refused(tmp_path) -> None:
    title, body, y = title_and_body()
    a = normal(5, 3)
    for inputs in ({"title": title, "body": body}, [title, body]):
        keras.Model(inputs, y).save(tmp_path / "m.keras")
        ours = sf.load(tmp_path / "m.keras")
        for given in ({"title": a, "body": a, "more": a}, {"title": a}, {"title": a, "x": a}):
            with pytest.raises(ValueError, match="takes inputs"):
                ours.predict(given)


def test_a_list_in_place_of_a_dict_is_refused_where_the_order_is_not_plain(tmp_path) -> None:
    title, body, y = title_and_body()
    keras.Model({"title": title, "body": body}, y).save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match=r"'title': \(None, 3\), 'body'"):
        sf.load(tmp_path / "m.keras").predict([normal(5, 3), normal(5, 3)])


def test_inputs_given_as_a_list_are_found_by_name(tmp_path) -> None:
    title, body, y = title_and_body()
    model = fill(keras.Model([title, body], y))
    assert_agrees(model, {"body": normal(5, 3), "title": normal(5, 3, seed=1)}, tmp_path)


def test_inputs_and_outputs_keep_their_structure(tmp_path) -> None:
    a, b, c = (keras.Input((3,)) for _ in range(3))
    outputs = {"zeta": [kl.Dense(2)(a), {"y": kl.Dense(1)(b), "x": kl.Dense(3)(c)}], "alpha": a}
    model = fill(keras.Model([[a, b], {"z": c}], outputs))
    x = [[normal(4, 3), normal(4, 3, seed=1)], {"z": normal(4, 3, seed=2)}]
    assert_agrees(model, x, tmp_path)


def test_a_model_with_a_dict_of_outputs_stands_inside_another(tmp_path) -> None:
    x = keras.Input((3,))
    inner = keras.Model(x, {"zeta": kl.Dense(2)(x), "alpha": kl.Dense(2)(x)})
    a = keras.Input((3,))
    y = inner(a)
    model = fill(keras.Model(a, [y["zeta"], y["alpha"] * 2.0]))
    assert_agrees(model, normal(4, 3), tmp_path)


def test_a_model_inside_is_called_with_a_dict(tmp_path) -> None:
    title, body, y = title_and_body()
    inner = keras.Model({"title": title, "body": body}, y)
    a, b = keras.Input((3,)), keras.Input((3,))
    model = fill(keras.Model([a, b], inner({"title": b, "body": a})))
    assert_agrees(model, [normal(4, 3), normal(4, 3, seed=1)], tmp_path)


@pytest.mark.parametrize("x", [None, 3, [[1, 2], [3]], "text", np.zeros((0, 3))])
def test_what_is_no_array_is_refused_in_one_sentence(x) -> None:
    model = sf.Sequential([sf.Input((3,)), sf.ReLU()])
    with pytest.raises(ValueError, match=r"Expected|array"):
        model.predict(x)


def test_rows_of_numbers_and_objects_are_arrays() -> None:
    model = sf.Sequential([sf.Input((2,)), sf.ReLU()])
    for x in ([[1, -2], [3, 4]], np.array([[1, -2], [3, 4]], object)):
        assert model.predict(x).tolist() == [[1, 0], [3, 4]]


# Calls


def masks_by_position() -> Any:
    x, m = keras.Input((5, 3)), keras.Input((5,), dtype="bool")
    outputs = [
        *(kl.GlobalAveragePooling1D()(x, m), kl.GRU(2)(x, None, m), kl.LSTM(2)(x, mask=m)),
        *(kl.Bidirectional(kl.GRU(2))(x, None, m), kl.GRU(3)(x, [kl.Dense(3)(x[:, 0])], m)),
    ]
    return keras.Model([x, m], outputs), [normal(4, 5, 3), normal(4, 5) > 0]


def inputs_by_name() -> Any:
    x = keras.Input((5, 3))
    y = kl.GRU(2)(sequences=kl.Dense(3)(inputs=x))
    return keras.Model(x, kl.Dense(2)(inputs=y)), normal(4, 5, 3)


@pytest.mark.parametrize("make", [masks_by_position, inputs_by_name])
def test_every_form_of_a_call_is_read(make, tmp_path) -> None:
    model, x = make()
    assert_agrees(fill(model), x, tmp_path)


def test_a_call_in_training_mode_is_refused(tmp_path) -> None:
    x = keras.Input((3,))
    keras.Model(x, kl.Dropout(0.5)(x, training=True)).save(tmp_path / "m.keras")
    with pytest.raises(sf.UnsupportedModelError, match="training=True"):
        sf.load(tmp_path / "m.keras")


# Models inside models


def calls_as_outputs() -> Any:
    i = keras.Input((3,))
    tower = keras.Model(i, kl.Dense(4, activation="tanh")(i))
    a, b = keras.Input((3,)), keras.Input((3,))
    ta, tb = tower(a), tower(b)
    return keras.Model([a, b], {"a": ta, "b": tb, "difference": ta - tb})


def decoder_of_encoder() -> Any:
    i, z = keras.Input((3,)), keras.Input((2,))
    encoder, decoder = keras.Model(i, kl.Dense(2)(i)), keras.Model(z, kl.Dense(3)(z))
    a, b = keras.Input((3,)), keras.Input((3,))
    return keras.Model([a, b], [decoder(encoder(a)), encoder(b)])


def layer_inside_and_outside() -> Any:
    shared, i = kl.Dense(3, activation="tanh"), keras.Input((3,))
    inner = keras.Model(i, shared(i))
    a, b = keras.Input((3,)), keras.Input((3,))
    return keras.Model([a, b], kl.Add()([inner(a), shared(b)]))


def extractor_beside_the_model() -> Any:
    i = keras.Input((3,))
    h = kl.Dense(4, activation="relu")(i)
    full, features = keras.Model(i, kl.Dense(2)(h)), keras.Model(i, h)
    a, b = keras.Input((3,)), keras.Input((3,))
    return keras.Model([a, b], [full(a), features(b)])


def layer_in_a_wrapper_and_outside() -> Any:
    shared = kl.Dense(3)
    a, b = keras.Input((3,)), keras.Input((4, 3))
    outputs = [kl.TimeDistributed(shared)(b), shared(a)]
    return keras.Model([a, b], outputs)


NESTED = [calls_as_outputs, decoder_of_encoder, layer_inside_and_outside]
NESTED += [extractor_beside_the_model, layer_in_a_wrapper_and_outside]


@pytest.mark.parametrize("make", NESTED)
def test_models_share_layers_and_stand_inside_each_other(make, tmp_path) -> None:
    model = fill(make())
    x = [normal(4, *t.shape[1:], seed=i) for i, t in enumerate(model.inputs)]
    ours = assert_agrees(model, x, tmp_path)
    assert len(ours.get_weights()) == len(model.weights)
    assert_close(sf.from_keras(model).predict(x), answer(model, x))


def test_shared_layers_that_cannot_be_told_apart_are_refused(tmp_path) -> None:
    def tower(layer: Any) -> Any:
        i = keras.Input((3,))
        return keras.Model(i, layer(i))

    one, other = kl.Dense(3, name="same"), kl.Dense(3, name="same")
    x = keras.Input((3,))
    model = keras.Model(x, kl.Add()([tower(one)(x), tower(other)(x), other(x)]))
    model.save(tmp_path / "m.keras")
    with pytest.raises(sf.ArchiveError, match="give them different names"):
        sf.load(tmp_path / "m.keras")


def random_graph(draw: random.Random, depth: int = 2) -> Any:
    """Build a graph of dense layers, operations and such graphs inside, on two inputs of three."""
    inputs = [keras.Input((3,)), keras.Input((3,))]
    known = list(inputs)
    inner = [random_graph(draw, depth - 1) for _ in range(draw.randint(0, 2) if depth else 0)]
    dense = [kl.Dense(3, activation="tanh") for _ in range(2)]
    for _ in range(draw.randint(1, 5)):
        a, b = draw.choice(known), draw.choice(known)
        kind = draw.randrange(4)
        if kind == 0 and inner:
            made = draw.choice(inner)([a, b])
            known += made if isinstance(made, list | tuple) else [made]
        elif kind == 1:
            known.append(a - 0.5 * b)
        else:
            known.append(draw.choice(dense)(kl.Multiply()([a, b])))
    computed = known[2:]
    outputs = draw.sample(computed, draw.randint(1, len(computed)))
    return keras.Model(inputs, outputs if len(outputs) > 1 else outputs[0])


@pytest.mark.parametrize("seed", range(15))
def test_random_graphs_of_graphs_agree(seed, tmp_path) -> None:
    model = fill(random_graph(random.Random(seed)))
    x = [normal(3, 3), normal(3, 3, seed=1)]
    assert_agrees(model, x, tmp_path)
    assert_close(sf.from_keras(model).predict(x), answer(model, x))


# Operations


def operators(x: Any) -> Any:
    y = x[:, 1:] * 2.0 + 1.0 - x[:, :3] / 4.0
    return [y, -(x**2.0), abs(x) % 0.7, x[:, None, ..., 0], x @ ops.ones((3, 2)), 1 - x]


def constants(x: Any) -> Any:
    scaled = (x - np.array([1.0, 2.0, 3.0], np.float32)) / np.array([2.0, 4.0, 8.0], np.float32)
    return [scaled, ops.take(x, [2, 0], axis=2), ops.where(x > 0, x, np.zeros(3, np.float32))]


def shapes(x: Any) -> Any:
    return [
        *(ops.reshape(x, (-1, 6, 2)), ops.transpose(x, (0, 2, 1)), ops.concatenate([x, x], -1)),
        *(ops.stack([x, x], 1), ops.expand_dims(x, 1), ops.squeeze(x[:, :1], 1), ops.flip(x, 1)),
        *(*ops.split(x, 2, axis=1), ops.repeat(x, 2, axis=1), ops.tile(x, (1, 2, 1))),
        *(ops.swapaxes(x, 1, 2), ops.moveaxis(x, 2, 1), ops.roll(x, 1, 1)),
        *(ops.pad(x, [[0, 0], [1, 0], [0, 2]]), *ops.unstack(x, axis=1)),
    ]


def reductions(x: Any) -> Any:
    return [
        *(ops.mean(x, axis=1), ops.sum(x, axis=[1, 2], keepdims=True), ops.max(x, axis=-1)),
        *(ops.std(x, axis=1), ops.var(x, axis=1), ops.prod(x, axis=1), ops.min(x, axis=1)),
        *(ops.argmax(x, -1), ops.any(x > 0, axis=1), ops.logsumexp(x, axis=1)),
        *(ops.norm(x, axis=-1), ops.cumsum(x, axis=1), ops.sort(x, axis=1), ops.argmin(x, 1)),
        *(ops.mean(ops.cast(x * 10, "int32"), axis=1), *ops.top_k(x, 2)),
    ]


def products(x: Any) -> Any:
    return [ops.matmul(x, ops.transpose(x, (0, 2, 1))), ops.einsum("bij,bik->bjk", x, x)]


def functions(x: Any) -> Any:
    return [
        *(ops.relu(x), ops.softmax(x, -1), ops.sigmoid(x), keras.activations.gelu(x), ops.gelu(x)),
        *(ops.exp(x), ops.log1p(ops.abs(x)), ops.sqrt(ops.square(x)), ops.clip(x, -0.5, 0.5)),
        *(ops.tanh(x), ops.silu(x), ops.leaky_relu(x), ops.elu(x), ops.log_softmax(x)),
        *(ops.cast(x > 0, "float32"), ops.one_hot(ops.cast(x > 0, "int32"), 2), ops.normalize(x)),
        *(ops.rsqrt(ops.abs(x) + 1), ops.divide_no_nan(x, ops.relu(x)), ops.round(x * 3)),
        *(ops.logical_and(x > 0, x < 1), ops.not_equal(x, 0.0), ops.ones_like(x)),
    ]


@pytest.mark.parametrize("make", [operators, constants, shapes, reductions, products, functions])
def test_operations_agree(make, tmp_path) -> None:
    x = keras.Input((4, 3))
    model = keras.Model(x, make(x))
    ours = assert_agrees(model, normal(5, 4, 3), tmp_path)
    assert [tuple(shape) for shape in ours.output_shape] == model.output_shape


def test_an_operation_leaves_open_sizes_open(tmp_path) -> None:
    x = keras.Input((None, 3))
    model = keras.Model(x, ops.concatenate([x, x * 2.0], axis=1))
    ours = assert_agrees(model, normal(2, 5, 3), tmp_path)
    assert ours.output_shape == (None, None, 3)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Tile", {"repeats": [1, 10**9]}),
        ("Repeat", {"repeats": 10**9, "axis": 1}),
        ("Pad", {"pad_width": [[0, 0], [0, 10**9]]}),
        ("OneHot", {"num_classes": 10**9}),
    ],
)
def test_operations_that_ask_for_too_much_are_refused(name, options, tmp_path) -> None:
    config = json.dumps(archives.operation(name, **options))
    members = archives.dense_members(**{"config.json": config})
    with pytest.raises(sf.UnsupportedModelError, match="at most"):
        sf.load(archives.write(tmp_path / "m.keras", members))


# What is not Keras's own


class Trained(keras.Model):
    """A model with a training step of its own."""

    def train_step(self, data):
        raise NotImplementedError


class Doubled(keras.Model):
    """A model that computes something else than its graph."""

    def call(self, inputs, training=None, mask=None):
        return 2 * super().call(inputs)


class Scale(kl.Layer):
    """A layer that Keras does not have."""

    def __init__(self, factor, **options):
        super().__init__(**options)
        self.factor = factor

    def build(self, shape):
        self.shift = self.add_weight(shape=(shape[-1],), name="shift")

    def call(self, inputs):
        return self.factor * inputs + self.shift

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class NumpyScale(sf.Layer):
    """The same in NumPy."""

    def __init__(self, factor, name=None):
        super().__init__(name)
        self.factor = factor

    def weight_shapes(self, input_shape):
        return {"shift": (input_shape[-1],)}

    def call(self, inputs):
        return self.factor * inputs + self.weights["shift"]


def test_a_subclass_of_a_graph_is_computed_as_its_graph(tmp_path) -> None:
    x = keras.Input((3,))
    model = fill(Trained(x, kl.Dense(2)(x)))
    with pytest.warns(UserWarning, match="class of its own"):
        assert_agrees(model, normal(4, 3), tmp_path)
    assert_close(sf.from_keras(model).predict(normal(4, 3)), answer(model, normal(4, 3)))


def test_a_live_model_that_overrides_call_is_refused() -> None:
    x = keras.Input((3,))
    with pytest.raises(sf.UnsupportedModelError, match="override `call`"):
        sf.from_keras(Doubled(x, kl.Dense(2)(x)))


def test_how_a_model_is_compiled_does_not_matter() -> None:
    class Loss:
        def __call__(self, truth, found):
            return found

    model = fill(keras.Sequential([keras.Input((3,)), kl.Dense(2)]))
    model.compile(loss=Loss())
    assert_close(sf.from_keras(model).predict(normal(4, 3)), answer(model, normal(4, 3)))


def test_layers_of_the_user_are_computed_by_what_the_user_supplies(tmp_path) -> None:
    x = keras.Input((3,))
    y = kl.Lambda(lambda z: z + 1.0, name="plus", output_shape=(3,))(Scale(2.0)(x))
    model = fill(keras.Model(x, kl.Dense(2)(y)))
    supplied = {"Scale": NumpyScale, "plus": lambda z: z + 1.0}
    assert_agrees(model, normal(4, 3), tmp_path, custom_objects=supplied)
    with pytest.raises(sf.UnsupportedModelError) as raised:
        sf.load(tmp_path / "model.keras")
    assert len(raised.value.items) == 2


def test_custom_objects_are_layers_or_functions(tmp_path) -> None:
    path = archives.write(tmp_path / "m.keras", archives.dense_members())
    for wrong in (3, dict, "Scale"):
        with pytest.raises(TypeError, match="subclass of"):
            sf.load(path, custom_objects={"Scale": wrong})


def test_calls_that_are_not_supported_are_listed_with_the_layers(tmp_path) -> None:
    x = keras.Input((3,))
    y = kl.Dropout(0.5)(Scale(2.0)(x), training=True)
    keras.Model(x, kl.Dropout(0.1)(y, training=True)).save(tmp_path / "m.keras")
    with pytest.raises(sf.UnsupportedModelError) as raised:
        sf.load(tmp_path / "m.keras")
    assert sorted(item.option for item in raised.value.items) == [
        "class_name",
        "training",
        "training",
    ]

"""Models by hand: rows and graphs of layers, batches, streams, summaries."""

import numpy as np
import pytest

import scratch_forward as sf
from tests.support.forward_models import filled


def tagger() -> sf.Sequential:
    """Return a small recurrent classifier."""
    return filled(
        sf.Sequential(
            [
                sf.Embedding(20, 4, mask_zero=True),
                sf.Bidirectional(sf.LSTM(3)),
                sf.Dropout(0.5),
                sf.Dense(3, "softmax"),
            ]
        )
    )


IDS = np.random.default_rng(1).integers(0, 20, (11, 6))


def test_predictions_do_not_depend_on_the_batch_size() -> None:
    model = tagger()
    whole = model.predict(IDS, batch_size=100)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(whole.sum(axis=1), 1, atol=1e-6)
    for size in (1, 3, 11):
        np.testing.assert_allclose(model.predict(IDS, batch_size=size), whole, rtol=0, atol=1e-6)


def test_training_is_random_by_seed() -> None:
    model = tagger()
    first = model(IDS, training=True, seed=1)
    assert np.array_equal(first, model(IDS, training=True, seed=1))
    assert not np.array_equal(first, model(IDS, training=True, seed=2))
    assert not np.array_equal(first, model(IDS))


def test_a_graph_computes_what_its_layers_do() -> None:
    left, right = sf.Input((4,), name="left"), sf.Input((4,), name="right")
    shared = sf.Dense(3)
    total = sf.Add()([shared(left), shared(right)])
    model = filled(sf.Model({"left": left, "right": right}, [total, shared(left)]))
    assert [type(layer).__name__ for layer in model.layers].count("Dense") == 1
    a, b = np.random.default_rng(0).normal(size=(2, 5, 4))
    kernel, bias = model.get_weights()
    outputs = model.predict({"left": a, "right": b}, batch_size=2)
    np.testing.assert_allclose(outputs[0], (a + b) @ kernel + 2 * bias, atol=1e-5)
    np.testing.assert_allclose(outputs[1], a @ kernel + bias, atol=1e-5)


def test_a_list_of_one_output_is_one_array() -> None:
    x = sf.Input((4,))
    assert sf.Model([x], [sf.ReLU()(x)]).predict(np.ones((3, 4))).shape == (3, 4)


def test_models_stand_inside_models() -> None:
    inner = sf.Sequential([sf.Input((4,)), sf.Dense(4, "tanh")])
    x = sf.Input((4,))
    model = filled(sf.Model(x, inner(inner(x))))
    kernel, bias = model.get_weights()
    a = np.random.default_rng(0).normal(size=(5, 4))
    expected = np.tanh(np.tanh(a @ kernel + bias) @ kernel + bias)
    np.testing.assert_allclose(model.predict(a), expected, atol=1e-6)


def test_weights_given_before_the_shape_is_known_are_used_once_it_is() -> None:
    model = sf.Sequential([sf.Dense(2)])
    model.set_weights([np.eye(2), [1.0, 2.0]])
    assert model.predict(np.array([[3.0, 4.0]])).tolist() == [[4, 6]]


def test_weights_of_another_number_or_shape_are_refused() -> None:
    model = sf.Sequential([sf.Input((2,)), sf.Dense(2)])
    with pytest.raises(ValueError, match="2 weights, but 1"):
        model.set_weights([np.eye(2)])
    with pytest.raises(ValueError, match=r"'kernel' of layer 'dense' has shape \(2, 2\)"):
        model.set_weights([np.eye(3), np.zeros(2)])
    with pytest.raises(ValueError, match="has no weights yet"):
        model.predict(np.zeros((1, 2)))


@pytest.mark.parametrize("shape", [(3, 5), (3, 4, 2), (0, 4)])
def test_inputs_of_another_shape_are_refused(shape) -> None:
    model = filled(sf.Sequential([sf.Input((4,)), sf.Dense(2)]))
    with pytest.raises(ValueError, match=r"expects shape|positive number"):
        model.predict(np.zeros(shape))


def test_an_axis_of_one_at_the_end_may_be_missing_or_too_many() -> None:
    column = filled(sf.Sequential([sf.Input((1,)), sf.Dense(2)]))
    assert np.array_equal(column(np.arange(3.0)), column(np.arange(3.0)[:, None]))
    rows = filled(sf.Sequential([sf.Input((4,)), sf.Dense(2)]))
    x = np.ones((3, 4))
    assert np.array_equal(rows(x[..., None]), rows(x))


def test_double_precision_is_reached_everywhere() -> None:
    model = tagger()
    model.set_dtype("float64")
    assert {layer.dtype for layer in model.flatten()} == {np.dtype(np.float64)}
    assert model.predict(IDS).dtype == np.float64


def test_a_summary_names_layers_shapes_and_weights() -> None:
    lines: list[str] = []
    tagger().summary(lines.append)
    text = "\n".join(lines)
    assert "embedding (Embedding)" in text
    assert "(None, None, 4)" in text
    assert f"{20 * 4 + 2 * 4 * 3 * (4 + 3 + 1) + 7 * 3:,}" in lines[-1]


def test_two_layers_of_the_same_name_are_refused() -> None:
    with pytest.raises(ValueError, match="named 'a'"):
        sf.Sequential([sf.Dense(2, name="a"), sf.Dense(2, name="a")])


def test_an_output_that_does_not_follow_from_the_inputs_is_refused() -> None:
    a, b = sf.Input((2,)), sf.Input((2,))
    with pytest.raises(ValueError, match="not among the inputs"):
        sf.Model(a, sf.Add()([a, b]))


# Habits of Keras users


def test_a_layer_is_found_by_name_or_place() -> None:
    model = tagger()
    assert model.get_layer("dropout") is model.get_layer(index=2)
    for wrong in ({"name": "lstm"}, {"index": 9}, {}, {"name": "dropout", "index": 2}):
        with pytest.raises(ValueError, match=r"has no layer .* bidirectional|either a `name`"):
            model.get_layer(**wrong)


def test_a_model_upto_a_layer_gives_what_the_layer_gives() -> None:
    model = tagger()
    features = model.upto("bidirectional")
    assert features.predict(IDS).shape == (11, 6)
    kernel, bias = model.get_layer("dense").get_weights()
    logits = np.float64(features.predict(IDS)) @ kernel + bias
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict(IDS), expected, atol=1e-6)
    x = sf.Input((4,), name="x")
    y = sf.ReLU(name="positive")(x)
    graph = sf.Model({"x": x}, [sf.Dense(2)(y), y])
    assert graph.upto("positive").predict({"x": [[1, -1, 2, -2]]}).tolist() == [[1, 0, 2, 0]]


def test_layers_are_added_one_by_one() -> None:
    model = sf.Sequential(name="m")
    for layer in (sf.Input((2,)), sf.Dense(2), sf.ReLU()):
        model.add(layer)
    assert (model.input_shape, model.output_shape, model.name) == ((None, 2), (None, 2), "m")
    model.set_weights([-np.eye(2), np.zeros(2)])
    assert model.predict([[1.0, -2.0]], verbose=0).tolist() == [[0, 2]]


def test_shapes_of_a_model_follow_its_structure() -> None:
    a, b = sf.Input((2,)), sf.Input((3,))
    model = sf.Model({"b": b, "a": a}, [{"y": a}, b])
    assert model.input_shape == {"b": (None, 3), "a": (None, 2)}
    assert model.output_shape == [{"y": (None, 2)}, (None, 3)]


def test_data_frames_and_series_are_arrays() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"u": [1.0, -2.0], "v": [3.0, 4.0]})
    model = sf.Sequential([sf.Input((2,)), sf.ReLU()])
    assert model.predict(frame).tolist() == [[1, 3], [0, 4]]
    u, v = sf.Input((1,), name="u"), sf.Input((1,), name="v")
    both = sf.Model([u, v], sf.Add()([u, v]))
    assert both.predict({"u": frame["u"], "v": frame["v"]}).tolist() == [[4], [2]]

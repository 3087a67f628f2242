import numpy as np
import pytest

from pipeline.data.data_spec import ArraySpec
from pipeline.models.keras_backend import keras
from pipeline.models.model_function_error import ModelFunctionError
from pipeline.models.output_fit import fitted_outputs

INPUTS = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)


def dense(units, activation=None, *more):
    layers = [keras.layers.Dense(units, activation), *more]
    return keras.Sequential([keras.Input((4,)), *layers])


def fitted(model, task):
    data = ArraySpec((4,), "float32", model.output_shape[-1], task)
    return fitted_outputs("mine:net", model, data)


@pytest.mark.parametrize("functional", [False, True])
def test_logits_of_classes_get_a_softmax(functional):
    model = dense(3)
    logits = model(INPUTS).numpy()
    if functional:
        model = keras.Model(model.inputs, model.outputs)
    outputs = fitted(model, "multiclass")(INPUTS).numpy()
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(outputs, exponents / exponents.sum(axis=1, keepdims=True), 1e-5)


@pytest.mark.parametrize(
    ("task", "model"),
    [
        ("multiclass", dense(3, "softmax")),
        ("multiclass", dense(3, None, keras.layers.Softmax())),
        ("multiclass", dense(3, None, keras.layers.Activation("softmax"))),
        ("multiclass", dense(3, "softmax", keras.layers.Reshape((3,)))),  # seen from its outputs
        ("binary", dense(1, "sigmoid")),
        ("binary", dense(1, "hard_sigmoid")),
        ("multilabel", dense(2, "sigmoid", keras.layers.Reshape((2,)))),
        ("regression", dense(2)),
        ("regression", dense(1, "sigmoid")),
        ("regression", dense(1, "relu")),
    ],
)
def test_outputs_that_fit_are_left_alone(task, model):
    assert fitted(model, task) is model


@pytest.mark.parametrize(
    ("task", "model", "sentence"),
    [
        ("binary", dense(1), "ends in linear, but task=binary needs sigmoid"),
        ("binary", dense(1, "tanh"), "ends in linear, but task=binary needs sigmoid"),
        ("binary", dense(1, "softmax"), "softmax over one output, which is always 1"),
        ("regression", dense(1, "softmax"), "softmax over one output, which is always 1"),
        ("multilabel", dense(3, "softmax"), "ends in softmax, but task=multilabel needs sigmoid"),
        ("multilabel", dense(3), "ends in linear, but task=multilabel needs sigmoid"),
        ("multiclass", dense(3, "sigmoid"), "ends in sigmoid, but task=multiclass needs softmax"),
    ],
)
def test_outputs_that_do_not_fit_are_refused_in_one_sentence(task, model, sentence):
    with pytest.raises(ModelFunctionError) as refused:
        fitted(model, task)
    assert sentence in str(refused.value)
    assert str(refused.value).startswith("model=mine:net ")

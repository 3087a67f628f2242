"""The table that is read from Keras's source, against Keras itself."""

import inspect

import pytest

from pipeline.models.keras_backend import keras
from pipeline.settings.optimizer_arguments import (
    composed_optimizer,
    keras_optimizers,
    optimizer_arguments,
    optimizer_defaults,
    optimizer_settings,
)

NOT_SET = {"self", "kwargs", "learning_rate", "name"}


def test_every_optimizer_of_keras_with_a_learning_rate_is_known():
    usable = {
        name.lower(): name
        for name, kind in vars(keras.optimizers).items()
        if inspect.isclass(kind)
        and issubclass(kind, keras.optimizers.Optimizer)
        and isinstance(default_of(kind, "learning_rate"), float)
    }
    assert {"adamw", "nadam", "lion", "adagrad"} < {*usable}
    assert keras_optimizers() == dict(sorted(usable.items()))


def default_of(kind, key):
    found = inspect.signature(kind).parameters.get(key)
    return found and found.default


@pytest.mark.parametrize("name", keras_optimizers())
def test_arguments_and_defaults_are_those_of_keras(name):
    kind = getattr(keras.optimizers, keras_optimizers()[name])
    known = inspect.signature(kind).parameters
    assert optimizer_defaults(name) == {
        key: one.default for key, one in known.items() if key not in ("self", "kwargs")
    }
    assert {*optimizer_arguments(name)} == {*known} - NOT_SET


@pytest.mark.parametrize("name", keras_optimizers())
def test_every_argument_has_a_type_that_holds_its_default(name):
    kind = optimizer_settings(name)
    known = {key: optimizer_defaults(name)[key] for key in optimizer_arguments(name)}
    given = composed_optimizer(name)["optimizer"]
    assert kind(**given).model_dump() == {"name": name, **known}
    properties = kind.model_json_schema()["properties"]
    assert [key for key, one in properties.items() if not {"type", "anyOf"} & {*one}] == []


def test_an_unknown_optimizer_has_no_arguments():
    assert optimizer_arguments("foo") == ()

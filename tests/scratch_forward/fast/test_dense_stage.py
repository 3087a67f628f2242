"""Dense layers in a row, against the layers one by one."""

import numpy as np
import pytest

import scratch_forward as sf
from scratch_forward.fast.dense_stage import MANY, DenseStage
from scratch_forward.fast.fallback import run_plain
from scratch_forward.fast.fusion import fuse

ROWS = 2500  # more than two blocks


def dense_layers(features, *layers):
    generator = np.random.default_rng(1)
    for layer in layers:
        layer.build((None, features))
        sizes, spread = layer.own_weight_shapes().values(), 1 / np.sqrt(features)
        layer.set_weights([generator.normal(0, spread, size) for size in sizes])
        features = layer.units
    return list(layers)


STACKS = {
    "relu, softmax": lambda: [sf.Dense(128, "relu"), sf.Dense(64, "relu"), sf.Dense(10, "softmax")],
    "other activations": lambda: [sf.Dense(20, "gelu"), sf.Dense(7), sf.Dense(1, "sigmoid")],
    "no bias": lambda: [sf.Dense(30, "relu", use_bias=False), sf.Dense(5, "relu", use_bias=False)],
    "alone": lambda: [sf.Dense(3, "softmax")],
    "wide": lambda: [sf.Dense(5_000, "relu"), sf.Dense(2)],
}


@pytest.mark.parametrize("shape", [(ROWS, 6), (MANY, 6), (1, 6), (40, 70, 6), (3, 4, 5, 6)])
@pytest.mark.parametrize("stack", STACKS)
def test_a_stage_computes_what_its_layers_do(stack, shape) -> None:
    if stack == "wide":
        shape = (min(shape[0], 140), *shape[-1:])
    layers = dense_layers(6, *STACKS[stack]())
    x = np.random.default_rng(2).normal(size=shape).astype(np.float32)
    mask = np.ones(shape[:-1], bool)
    (stage,) = fuse(layers)
    assert isinstance(stage, DenseStage)
    before, (found, kept) = x.copy(), stage.run(x, mask)
    expected, _ = run_plain(layers, x, None, None)
    assert kept is mask
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(x, before)


def test_outputs_of_a_call_are_not_overwritten_by_the_next() -> None:
    (stage,) = fuse(dense_layers(4, sf.Dense(8, "relu"), sf.Dense(3)))
    x = np.random.default_rng(3).normal(size=(100, 4)).astype(np.float32)
    first, _ = stage.run(x)
    kept = first.copy()
    stage.run(-x)
    np.testing.assert_array_equal(first, kept)


def test_an_activation_over_another_axis_ends_a_stage() -> None:
    layers = dense_layers(4, sf.Dense(8, sf.Softmax(axis=1)), sf.Dense(3, "relu"), sf.Dense(2))
    stages = fuse(layers)
    assert [len(stage.layers) for stage in stages] == [1, 2]
    x = np.random.default_rng(4).normal(size=(9, 5, 4)).astype(np.float32)
    found = x
    for stage in stages:
        found, _ = stage.run(found)
    np.testing.assert_allclose(found, run_plain(layers, x, None, None)[0], rtol=1e-5, atol=1e-6)


def test_rows_of_a_table_are_computed_in_large_chunks_on_any_number_of_threads() -> None:
    model = sf.Sequential([sf.Input((6,)), sf.Flatten(), sf.Dense(128, "relu"), sf.Dense(10)])
    sizes, generator = [(6, 128), (128,), (128, 10), (10,)], np.random.default_rng(5)
    model.set_weights([generator.normal(0, 0.1, size) for size in sizes])
    x = np.random.default_rng(6).normal(size=(9000, 6)).astype(np.float32)
    alone = model.predict(x, threads=1)
    np.testing.assert_allclose(model.predict(x, threads=3), alone, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(model.predict(x, batch_size=7), alone, rtol=1e-5, atol=1e-5)

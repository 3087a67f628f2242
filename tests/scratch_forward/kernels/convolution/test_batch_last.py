"""A stack of image stages equals its layers by their definitions, in any grouping."""

import numpy as np
import pytest

from scratch_forward.kernels.convolution.batch_last import BatchLastDense, Flat, run_stack
from scratch_forward.kernels.convolution.convolution2d import prepare
from scratch_forward.kernels.convolution.fused_pooling import Pool
from scratch_forward.kernels.runtime.workspace import Workspace
from tests.support.plain_convolution import pooled, reference


def stack_and_truth(images, kind):
    rng = np.random.default_rng(1)
    kernels = [0.2 * rng.standard_normal((3, 3, 3, 8)), 0.1 * rng.standard_normal((5, 5, 8, 6))]
    biases = [rng.standard_normal(8), rng.standard_normal(6)]
    dense, dense_bias = 0.1 * rng.standard_normal((4 * 3 * 6, 7)), rng.standard_normal(7)
    stages, truth, shape = [], np.moveaxis(images, 0, -1).astype(np.float64), images.shape[1:]
    for kernel, bias in zip(kernels, biases, strict=True):
        plan = prepare(
            kernel.astype(np.float32),
            bias.astype(np.float32),
            shape,
            padding="same",
            activation="relu",
            pool=Pool(kind, (2, 2)),
        )
        stages, shape = [*stages, plan], plan.out_shape
        truth = pooled(np.maximum(reference(truth, kernel, bias, padding="same"), 0), kind, (2, 2))
    stages += [
        Flat(),
        BatchLastDense.prepare(dense.astype(np.float32), dense_bias.astype(np.float32), "relu"),
    ]
    rows = np.moveaxis(truth, -1, 0).reshape(len(images), -1)
    return stages, np.maximum(rows @ dense + dense_bias, 0)


@pytest.mark.parametrize("kind", ["max", "average"])
@pytest.mark.parametrize("size", [11, 5, 1])
def test_a_stack_equals_its_layers_by_their_definitions(kind, size):
    images = np.random.default_rng(2).random((11, 17, 12, 3), dtype=np.float32)
    stages, truth = stack_and_truth(images, kind)
    workspace = Workspace()
    groups = [images[start : start + size] for start in range(0, 11, size)]
    ours = np.concatenate([run_stack(stages, group, workspace) for group in groups])
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, truth, atol=2e-6 * np.abs(truth).max())


def test_a_stack_may_end_in_a_convolution():
    images = np.random.default_rng(3).random((7, 9, 9, 2), dtype=np.float32)
    plan = prepare(np.ones((1, 1, 2, 1), np.float32), None, images.shape[1:])
    ours = run_stack([plan], images, Workspace())
    np.testing.assert_allclose(ours[..., 0], images.sum(axis=-1), rtol=1e-6)

"""Every method of convolving against the definition, summed in float64."""

from dataclasses import replace

import numpy as np
import pytest

from scratch_forward.kernels.convolution import winograd
from scratch_forward.kernels.convolution.convolution2d import METHODS, cheapest_method, prepare
from scratch_forward.kernels.convolution.depthwise import Depthwise
from scratch_forward.kernels.convolution.direct import Direct
from scratch_forward.kernels.convolution.fused_pooling import Pool
from scratch_forward.kernels.convolution.geometry import Geometry
from scratch_forward.kernels.convolution.winograd import Winograd
from scratch_forward.kernels.runtime.blas import Blas
from scratch_forward.kernels.runtime.workspace import Workspace
from tests.support.plain_convolution import pooled, reference


def groups_of(method, channels=4):
    """Return the options of `example` and of `prepare` for a method."""
    groups = channels if method == Depthwise else 1
    return {"filters": channels if method == Depthwise else 6, "groups": groups}


def example(rng, size, channels, kernel, filters, groups=1, examples=5, dtype=np.float32):
    x = np.maximum(rng.standard_normal((*size, channels, examples)), 0).astype(dtype)
    weights = 0.1 * rng.standard_normal((*kernel, channels // groups, filters))
    return x, weights.astype(dtype), rng.standard_normal(filters).astype(dtype)


def assert_as_accurate_as_float32(ours, truth, terms):
    """Hold the error under what float32 sums of so many terms of this size may lose."""
    unit = np.spacing(np.float32(np.abs(truth).max()))
    assert ours.dtype == np.float32
    assert np.abs(ours - truth).max() <= unit * (4 + 0.5 * np.sqrt(terms))


@pytest.mark.parametrize("padding", ["same", "valid", ((2, 0), (1, 3))])
@pytest.mark.parametrize("size", [(9, 7), (8, 8), (5, 12), (3, 7)])
@pytest.mark.parametrize(
    ("method", "kernel"),
    [
        (Direct, (3, 3)),
        (Direct, (1, 1)),
        (Direct, (2, 5)),
        (Winograd, (3, 3)),
        (Winograd, (3, 1)),
        (Winograd, (3, 4)),
    ],
)
@pytest.mark.parametrize("channels", [3, 32])
def test_methods_compute_the_definition(method, kernel, size, padding, channels):
    rng = np.random.default_rng(1)
    x, weights, bias = example(rng, size, channels, kernel, filters=6)
    plan = prepare(weights, bias, x.shape[:3], padding=padding, method=method)
    truth = reference(x, weights, bias, padding=padding)
    assert plan.out_shape == truth.shape[:3]
    assert_as_accurate_as_float32(plan(x), truth, weights[..., 0].size)


@pytest.mark.parametrize("padding", ["same", "valid", ((4, 0), (1, 3))])
@pytest.mark.parametrize("size", [(9, 7), (10, 8), (11, 12)])
@pytest.mark.parametrize("kernel", [(4, 2), (5, 5), (6, 1), (7, 7), (9, 3)])
@pytest.mark.parametrize("channels", [3, 16])
def test_winograd_covers_kernels_of_more_rows(kernel, size, padding, channels):
    rng = np.random.default_rng(1)
    x, weights, bias = example(rng, size, channels, kernel, filters=6)
    plan = prepare(weights, bias, x.shape[:3], padding=padding, method=Winograd)
    truth = reference(x, weights, bias, padding=padding)
    assert_as_accurate_as_float32(plan(x), truth, weights[..., 0].size)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(
    ("strides", "dilation", "groups"),
    [((2, 2), (1, 1), 1), ((1, 3), (1, 1), 2), ((1, 1), (2, 3), 1), ((1, 1), (1, 2), 4)],
)
def test_direct_covers_strides_dilation_and_groups(padding, strides, dilation, groups):
    rng = np.random.default_rng(2)
    x, weights, bias = example(rng, (11, 10), 8, (3, 2), filters=12, groups=groups)
    options = {
        "padding": padding, "strides": strides, "dilation": dilation, "groups": groups
    }  # fmt: skip
    plan = prepare(weights, bias, x.shape[:3], **options)
    truth = reference(x, weights, bias, **options)
    assert_as_accurate_as_float32(plan(x), truth, weights[..., 0].size)


@pytest.mark.parametrize("padding", ["same", "valid", ((2, 0), (1, 3))])
@pytest.mark.parametrize(
    ("strides", "dilation"), [((1, 1), (1, 1)), ((2, 3), (1, 1)), ((1, 2), (3, 2))]
)
@pytest.mark.parametrize("kernel", [(3, 3), (1, 1), (2, 5)])
@pytest.mark.parametrize("size", [(9, 12), (8, 35), (7, 11)])
def test_depthwise_covers_strides_and_dilation(size, kernel, strides, dilation, padding):
    rng = np.random.default_rng(8)
    x, weights, bias = example(rng, size, 6, kernel, filters=6, groups=6)
    options = {"padding": padding, "strides": strides, "dilation": dilation, "groups": 6}
    plan = prepare(weights, bias, x.shape[:3], method=Depthwise, **options)
    truth = reference(x, weights, bias, **options)
    assert_as_accurate_as_float32(plan(x), truth, weights[..., 0].size)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
@pytest.mark.parametrize("kind", ["max", "average"])
@pytest.mark.parametrize("activation", ["relu", "linear"])
@pytest.mark.parametrize(("size", "pool"), [((9, 7), (2, 2)), ((8, 8), (2, 2)), ((10, 9), (3, 2))])
def test_pooling_fused_is_pooling_after(method, kind, activation, size, pool):
    rng = np.random.default_rng(3)
    taken = groups_of(method)
    x, weights, bias = example(rng, size, 4, (3, 3), **taken)
    plan = prepare(
        weights,
        bias,
        x.shape[:3],
        padding="same",
        groups=taken["groups"],
        activation=activation,
        pool=Pool(kind, pool),
        method=method,
    )
    truth = reference(x, weights, bias, padding="same", groups=taken["groups"])
    truth = np.maximum(truth, 0) if activation == "relu" else truth
    assert_as_accurate_as_float32(plan(x), pooled(truth, kind, pool), weights[..., 0].size)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_float64_stays_float64(method):
    rng = np.random.default_rng(4)
    taken = groups_of(method, channels=32)
    x, weights, bias = example(rng, (8, 8), 32, (3, 3), **taken, dtype=np.float64)
    options = {"padding": "same", "groups": taken["groups"]}
    ours = prepare(weights, bias, x.shape[:3], method=method, **options)(x)
    assert ours.dtype == np.float64
    np.testing.assert_allclose(ours, reference(x, weights, bias, **options), atol=1e-12)


@pytest.mark.parametrize("pool", [(2, 2), (3, 1)])
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_many_row_blocks_equal_one(method, pool, monkeypatch):
    rng = np.random.default_rng(5)
    taken = groups_of(method)
    x, weights, bias = example(rng, (13, 9), 4, (3, 3), **taken)
    options = {"padding": "same", "groups": taken["groups"], "pool": Pool("max", pool)}
    plan = prepare(weights, bias, x.shape[:3], method=method, **options)
    whole = plan(x)
    monkeypatch.setattr("scratch_forward.kernels.convolution.method.BLOCK", 1)
    np.testing.assert_allclose(plan(x), whole, atol=1e-6)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_buffers_carry_nothing_over(method):
    rng = np.random.default_rng(6)
    taken = groups_of(method)
    x, weights, bias = example(rng, (8, 8), 4, (3, 3), **taken, examples=9)
    options = {"padding": "same", "groups": taken["groups"]}
    plan = prepare(weights, bias, x.shape[:3], method=method, **options)
    workspace = Workspace()
    plan(np.full_like(x, np.nan), workspace)
    np.testing.assert_array_equal(plan(x[..., :4], workspace), plan(x[..., :4]))


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_groups_of_several_sizes_and_outputs_take_turns(method):
    rng = np.random.default_rng(6)
    taken = groups_of(method)
    x, weights, bias = example(rng, (8, 8), 4, (3, 3), **taken, examples=9)
    options = {"padding": "same", "groups": taken["groups"], "activation": "relu"}
    plan = prepare(weights, bias, x.shape[:3], method=method, **options)
    workspace, truth = Workspace(), plan(x)
    outputs = [np.empty_like(truth) for _ in range(2)]
    for count in (9, 4, 9, 4):
        for out in outputs:
            plan(x[..., :count], workspace, out[..., :count])
            np.testing.assert_allclose(out[..., :count], truth[..., :count], atol=1e-6)
            out[...] = np.nan


@pytest.mark.parametrize("pool", [None, Pool("max", (2, 2)), Pool("average", (3, 1))])
@pytest.mark.parametrize("block", [1, 1 << 17])
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_a_1x1_convolution_is_computed_on_the_rows_before_it(method, block, pool, monkeypatch):
    monkeypatch.setattr("scratch_forward.kernels.convolution.method.BLOCK", block)
    rng = np.random.default_rng(10)
    taken = groups_of(method)
    x, weights, bias = example(rng, (13, 9), 4, (3, 3), **taken)
    _, last, last_bias = example(rng, (1, 1), taken["filters"], (1, 1), filters=7)
    options = {"padding": "same", "groups": taken["groups"]}
    first = prepare(weights, bias, x.shape[:3], method=method, activation="relu", **options)
    second = prepare(last, last_bias, first.out_shape, activation="relu", pool=pool)
    both = replace(first, pointwise=second)
    assert both.out_shape == second.out_shape
    inner = np.maximum(reference(x, weights, bias, **options), 0)
    truth = np.maximum(reference(inner, last, last_bias), 0)
    truth = truth if pool is None else pooled(truth, pool.kind, pool.size)
    assert_as_accurate_as_float32(both(x), truth, weights[..., 0].size + last[..., 0].size)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_relu_without_a_bias_gives_no_negative_zeros(method):
    rng = np.random.default_rng(11)
    taken = groups_of(method)
    x, weights, _ = example(rng, (8, 8), 4, (3, 3), **taken)
    plan = prepare(
        weights, None, x.shape[:3], method=method, activation="relu", groups=taken["groups"]
    )
    outputs = plan(x)
    assert (outputs == 0).any()
    assert not np.signbit(outputs).any()


def test_images_need_not_be_contiguous():
    rng = np.random.default_rng(7)
    x, weights, bias = example(rng, (8, 8), 4, (5, 5), filters=6)
    images = np.ascontiguousarray(np.moveaxis(x, -1, 0))
    for method in (Direct, Winograd):
        plan = prepare(weights, bias, x.shape[:3], padding="same", method=method)
        np.testing.assert_array_equal(plan(np.moveaxis(images, 0, -1)), plan(x))


@pytest.mark.parametrize("row", [1, 5, 11])
@pytest.mark.parametrize("block", [1, 1 << 17])
@pytest.mark.parametrize("wild", [np.inf, -np.inf, np.nan, 3e38])
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_a_wild_value_reaches_the_windows_that_hold_it_and_no_others(
    method, wild, block, row, monkeypatch
):
    monkeypatch.setattr("scratch_forward.kernels.convolution.method.BLOCK", block)
    rng = np.random.default_rng(9)
    taken = groups_of(method, channels=16)
    x, weights, bias = example(rng, (12, 12), 16, (3, 3), **taken)
    options = {"padding": "same", "groups": taken["groups"], "activation": "relu"}
    plan = prepare(weights, bias, x.shape[:3], method=method, **options)
    tame = plan(x)
    x[row, 6, 3, 2] = wild
    reached = np.zeros(tame.shape, bool)
    reached[row - 1 : row + 2, 5:8, :, 2] = True
    np.testing.assert_allclose(plan(x)[~reached], tame[~reached], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("examples", [slice(None), slice(2, 3)], ids=["all", "one"])
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_a_bright_spot_costs_the_rest_no_digits(method, examples):
    rng = np.random.default_rng(9)
    taken = groups_of(method, channels=16)
    x, weights, bias = example(rng, (24, 24), 16, (3, 3), **taken)
    plan = prepare(
        weights, bias, x.shape[:3], method=method, padding="same", groups=taken["groups"]
    )
    without = plan(x)
    x[9, 6, :, examples] *= 1e4
    reached = np.zeros(without.shape, bool)
    reached[8:11, 5:8] = True
    np.testing.assert_allclose(plan(x)[~reached], without[~reached], rtol=1e-5, atol=1e-5)


def test_a_kernel_that_is_not_finite_is_convolved_by_the_definition():
    weights = np.ones((3, 3, 32, 64), np.float32)
    assert isinstance(prepare(weights, None, (16, 16, 32)).method, Winograd)
    weights[1, 1, 2, 3] = np.nan
    assert isinstance(prepare(weights, None, (16, 16, 32)).method, Direct)


@pytest.mark.parametrize(("core", "tiled"), [("Haswell", False), ("SkylakeX", True)])
def test_a_kernel_of_five_rows_has_tiles_where_its_sums_are_rounded_little(
    monkeypatch, core, tiled
):
    monkeypatch.setattr(winograd, "blas", lambda: Blas(int, id, core))
    chosen = cheapest_method(Geometry.of((5, 5, 32, 64), (16, 16, 32), padding="same"))
    assert (chosen is Winograd) is tiled


def test_the_method_follows_from_kernel_channels_and_groups(monkeypatch):
    monkeypatch.setattr(winograd, "blas", lambda: Blas(int, id, "SkylakeX"))

    def chosen(size, channels, filters, kernel, groups=1):
        shape = (kernel, kernel, channels // groups, filters)
        image = (size, size, channels)
        return cheapest_method(Geometry.of(shape, image, padding="same", groups=groups))

    assert chosen(32, 3, 32, 7) is Direct
    assert chosen(16, 32, 64, 3) is Winograd
    assert chosen(8, 64, 128, 7) is Winograd
    assert chosen(16, 32, 32, 3, groups=32) is Depthwise
    assert chosen(16, 32, 128, 3, groups=32) == chosen(16, 32, 32, 3, groups=16) is Direct


@pytest.mark.parametrize(
    ("core", "channels", "tile"),
    [("Haswell", 16, 4), ("Haswell", 32, 2), ("SkylakeX", 32, 4), ("SkylakeX", 3, 2)],
)
def test_long_sums_get_large_tiles_only_where_they_are_rounded_little(
    monkeypatch, core, channels, tile
):
    monkeypatch.setattr(winograd, "blas", lambda: Blas(int, id, core))
    rng = np.random.default_rng(1)
    x, weights, bias = example(rng, (8, 8), channels, (3, 3), filters=6)
    plan = prepare(weights, bias, x.shape[:3], padding="same", method=Winograd)
    assert plan.method.tiling.rows == tile

"""The contract that every layer passes: nearly as near to the exact result as Keras is, or nearer.

A case is one layer with options, a batch size and a mask pattern. It is run by Keras in float64
(the truth), by Keras in float32, by ours in both, and by the stage that stands for the layer where
a model predicts fast; outputs and masks are compared. The bar, for every element: our error is at
most twice the largest that Keras makes in that output, plus 4 ULP; probabilities are within 1e-6.
"""

import inspect
import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

os.environ["CUDA_VISIBLE_DEVICES"] = ""  # cuDNN zero-fills masked steps, unlike the CPU's Keras

import keras
import numpy as np
from keras.src.applications import convnext, inception_resnet_v2

from scratch_forward.fast.fusion import Row, fuse
from scratch_forward.layers import LAYERS
from tests.support.matrix import Subject
from tests.support.pairwise import pairwise, with_new_values

KERAS_LAYERS = {
    **vars(keras.layers),
    "LayerScale": convnext.LayerScale,
    "StochasticDepth": convnext.StochasticDepth,
    "CustomScaleLayer": inception_resnet_v2.CustomScaleLayer,
}
SEED = 20240717
FEW_ULP = 4
PROBABILITIES = ("softmax", "sigmoid")
PROBABILITY_ERROR = 1e-6
KERAS_ERROR = 1e-4  # relative to the largest output; beyond it, one of us computes something else


@dataclass(frozen=True)
class Case:
    """One run of a subject.

    Attributes:
        subject: The layer and its inputs.
        options: The layer's options.
        arguments: Arguments of the call besides the inputs.
        batch: Number of examples.
        mask: Pattern of the inputs' masks.
    """

    subject: Subject
    options: dict[str, Any]
    arguments: dict[str, Any]
    batch: int
    mask: str

    def __str__(self) -> str:
        options = json.dumps({**self.options, **self.arguments}, default=str)
        return f"{self.subject.name}({options}) on {self.batch} examples, mask {self.mask!r}"


@dataclass(frozen=True)
class Outcome:
    """What came out of a case.

    Attributes:
        case: The case.
        error: Our largest absolute error.
        ulp: Our largest error, in units of the last place of each element.
        keras_ulp: Keras's largest error, likewise.
        fault: What broke the contract, empty if nothing did.
    """

    case: Case
    error: float
    ulp: float
    keras_ulp: float
    fault: str


def cases(subject: Subject) -> list[Case]:
    """Cover all pairs of a subject's options, batch sizes and masks."""
    choices = {**subject.options, **subject.arguments}
    rows = pairwise({**choices, "batch": subject.batches, "mask": subject.masks}, SEED)
    return [_case(subject, row) for row in rows if not subject.refused(_options(subject, row))]


def few_cases(subject: Subject) -> list[Case]:
    """Those of the cases in which some option, batch size or mask is new."""
    rows = [
        {**case.options, **case.arguments, "batch": case.batch, "mask": case.mask}
        for case in cases(subject)
    ]
    return [_case(subject, row) for row in with_new_values(rows)]


def _case(subject: Subject, row: dict[str, Any]) -> Case:
    arguments = {argument: row[argument] for argument in subject.arguments}
    return Case(subject, _options(subject, row), arguments, row["batch"], row["mask"])


def _options(subject: Subject, row: dict[str, Any]) -> dict[str, Any]:
    return {option: row[option] for option in subject.options}


def run(case: Case) -> Outcome:
    """Run a case with both libraries and compare."""
    generator = np.random.default_rng(zlib.crc32(str(case).encode()))
    inputs, masks = _inputs(case, generator), _masks(case, generator)
    arguments = _arguments(case, inputs, generator)
    exact = _keras_layer(case, "float64")
    _build_keras(exact, case, inputs)
    weights = [_random_weight(weight, generator) for weight in exact.weights]
    given = (weights, inputs, masks, arguments)
    theirs, their_masks = _run_keras(_keras_layer(case, "float32"), case, *given)
    ours, our_masks = _run_ours(case, *given, "float32")
    oracle, _ = _run_ours(case, *given, "float64")
    truth = _run_keras(exact, case, *given)[0] if case.subject.in_float64 else oracle
    fast, fast_masks = _run_ours(case, *given, "float32", fast=not arguments)
    for found, its_masks in ((ours, our_masks), (fast, fast_masks)):
        fault = _compare_masks(its_masks, their_masks) or _compare_shapes(found, truth)
        if fault:
            return Outcome(case, np.inf, np.inf, np.inf, fault)
    plain = _measure(case, ours, oracle, theirs, truth)
    return max(plain, _measure(case, fast, oracle, theirs, truth), key=_badness)


def _badness(outcome: Outcome) -> tuple[bool, float]:
    return bool(outcome.fault), outcome.ulp


def shrink(outcome: Outcome) -> Outcome:
    """Make a failed case plainer, option by option, as long as it fails."""
    plainer = True
    while plainer:
        plainer = False
        for candidate in _plainer(outcome.case):
            try:
                smaller = run(candidate)
            except Exception:  # Keras refuses the combination
                continue
            if smaller.fault:
                outcome, plainer = smaller, True
                break
    return outcome


def _plainer(case: Case) -> Iterator[Case]:
    """Yield the case with one option, the batch or the mask at its plainest."""
    subject = case.subject
    for option, values in subject.options.items():
        if case.options[option] != values[0]:
            yield replace(case, options={**case.options, option: values[0]})
    for argument, values in subject.arguments.items():
        if case.arguments[argument] != values[0]:
            yield replace(case, arguments={**case.arguments, argument: values[0]})
    if case.mask != subject.masks[0]:
        yield replace(case, mask=subject.masks[0])
    if case.batch != 1:
        yield replace(case, batch=1)


def _inputs(case: Case, generator: np.random.Generator) -> list[np.ndarray]:
    arrays = []
    for shape in case.subject.shapes:
        if case.options.get("data_format") == "channels_first":
            shape = (shape[-1], *shape[:-1])
        if case.subject.words:
            kind = object if isinstance(case.subject.words[0], str) else np.int64
            arrays.append(
                generator.choice(np.array(case.subject.words, kind), (case.batch, *shape))
            )
            continue
        spread = 8 if case.subject.title == "wide" else 1
        values = generator.normal(0, spread, (case.batch, *shape)).astype(np.float32)
        if case.subject.ids:
            values = generator.integers(0, 10, values.shape).astype(np.float32)
        values[..., :1] *= generator.random(values[..., :1].shape) > 0.2  # zeros, for masking
        arrays.append(values)
    return arrays


def _masks(case: Case, generator: np.random.Generator) -> list[np.ndarray | None]:
    masks: list[np.ndarray | None] = []
    for index, shape in enumerate(case.subject.shapes):
        size = (case.batch, shape[0])
        lengths = generator.integers(1, shape[0] + 1, case.batch)[:, None]
        steps = np.arange(shape[0])
        patterns = {
            "none": None,
            "right": steps < lengths,
            "left": steps >= shape[0] - lengths,
            "holes": generator.random(size) > 0.4,
            "rows": (steps < lengths) & (np.arange(case.batch) % 2 == 1)[:, None],
            "first": None if index else generator.random(size) > 0.4,
        }
        masks.append(patterns[case.mask])
    return masks


def _arguments(
    case: Case, inputs: list[np.ndarray], generator: np.random.Generator
) -> dict[str, Any]:
    """Return the call's arguments, with an array in place of the word `random`."""
    size = (case.batch, *(x.shape[1] for x in inputs[:2]))
    return {
        name: generator.random(size) > 0.3 if value == "random" else value
        for name, value in case.arguments.items()
        if value is not None
    }


def _build(library: Any, class_name: str, options: dict[str, Any], **common: Any) -> Any:
    """Build a layer, with the layers inside it, from either library."""

    def value(given: Any) -> Any:
        if isinstance(given, dict) and "class_name" in given:
            return _build(library, given["class_name"], given["options"], **common)
        return [value(item) for item in given] if isinstance(given, list) else given

    built = {option: value(given) for option, given in options.items()}
    cls = library[class_name]
    taken = inspect.signature(cls.__init__).parameters
    return cls(**built, **(common if {"dtype", "kwargs"} & taken.keys() else {}))


def _keras_layer(case: Case, dtype: str) -> Any:
    common = {} if case.subject.words else {"dtype": dtype}  # such layers have their own dtypes
    return _build(KERAS_LAYERS, case.subject.layer, case.options, **common)


def _random_weight(weight: Any, generator: np.random.Generator) -> np.ndarray:
    if weight.path.endswith("count"):
        return np.asarray(0)
    values = generator.normal(size=weight.shape).astype(np.float32) / 2
    return np.abs(values) + np.float32(0.5) if "variance" in weight.path else values


def _shapes(inputs: list[np.ndarray]) -> Any:
    shapes = [x.shape for x in inputs]
    return shapes if len(shapes) > 1 else shapes[0]


def _build_keras(layer: Any, case: Case, inputs: list[np.ndarray]) -> None:
    if not layer.built:
        shapes = _shapes(inputs)
        layer.build(*shapes) if case.subject.separate else layer.build(shapes)


def _run_keras(
    layer: Any,
    case: Case,
    weights: list[np.ndarray],
    inputs: list[np.ndarray],
    masks: list[Any],
    arguments: dict[str, Any],
) -> tuple[list[np.ndarray], list[Any]]:
    _build_keras(layer, case, inputs)
    layer.set_weights(weights)
    if hasattr(layer, "finalize_state"):
        layer.finalize_state()  # Normalization computes with a copy of its weights
    dtype = None if case.subject.words else layer.compute_dtype
    tensors = [keras.ops.convert_to_tensor(x, dtype=dtype) for x in inputs]
    for tensor, mask in zip(tensors, masks, strict=True):
        if mask is not None:
            tensor._keras_mask = keras.ops.convert_to_tensor(mask)
    given = [tensors] if len(tensors) > 1 and not case.subject.separate else tensors
    if layer._call_has_training_arg:
        arguments = {**arguments, "training": False}  # some layers train unless they are told
    outputs = keras.tree.flatten(layer(*given, **arguments))
    found = [getattr(y, "_keras_mask", None) for y in outputs]
    return [np.asarray(y) for y in outputs], [None if m is None else np.asarray(m) for m in found]


def _run_ours(
    case: Case,
    weights: list[np.ndarray],
    inputs: list[np.ndarray],
    masks: list[Any],
    arguments: dict[str, Any],
    dtype: str,
    fast: bool = False,
) -> tuple[list[np.ndarray], list[Any]]:
    layer = _build(LAYERS, case.subject.layer, case.options)
    layer.set_dtype(dtype)
    layer.build(_shapes(inputs))
    layer.set_weights(weights)
    single = len(inputs) == 1
    runner = Row(fuse([layer])) if fast else layer
    outputs, found = runner.run(
        inputs[0] if single else inputs, masks[0] if single else masks, **arguments
    )
    flat = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
    found = list(found) if isinstance(found, list | tuple) else [found]
    return flat, found + [None] * (len(flat) - len(found))


def _compare_masks(ours: list[Any], theirs: list[Any]) -> str:
    for index, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
        if (mine is None) != (other is None):
            return f"output {index} has the mask {mine}, Keras's {other}"
        if mine is not None and not np.array_equal(mine, other):
            return f"the mask of output {index} differs: {mine} instead of {other}"
    return ""


def _compare_shapes(ours: list[np.ndarray], theirs: list[np.ndarray]) -> str:
    mine, other = [y.shape for y in ours], [y.shape for y in theirs]
    return "" if mine == other else f"the outputs have shapes {mine} instead of {other}"


def _measure(
    case: Case, ours: list[Any], oracle: list[Any], theirs: list[Any], truth: list[Any]
) -> Outcome:
    error = ulp = keras_ulp = 0.0
    fault = ""
    for index, (mine, exact, other, true) in enumerate(
        zip(ours, oracle, theirs, truth, strict=True)
    ):
        if not np.array_equal(np.isnan(mine), np.isnan(true)):
            fault = f"output {index} has NaN elsewhere than Keras"
        if mine.dtype != other.dtype:
            fault = f"output {index} is {mine.dtype}"
        true, other = np.nan_to_num(np.float64(true)), np.nan_to_num(np.float64(other))
        off, keras_off = np.abs(np.nan_to_num(mine) - true), np.abs(other - true)
        place = last_place(true)
        error = max(error, off.max(initial=0))
        ulp = max(ulp, (off / place).max(initial=0))
        keras_ulp = max(keras_ulp, (keras_off / place).max(initial=0))
        if (off > 2 * keras_off.max(initial=0) + FEW_ULP * place).any():
            worst = np.unravel_index(np.argmax(off / place), off.shape)
            fault = f"output {index} is {mine[worst]} at {worst}; exact {true[worst]:.9g}"
        if case.options.get("activation") in PROBABILITIES and off.max() > PROBABILITY_ERROR:
            fault = f"output {index} is a probability that is off by {off.max():.1g}"
        largest = max(1, np.abs(true).max(initial=0))
        apart = np.abs(np.nan_to_num(exact) - true).max(initial=0) / largest
        far = keras_off.max(initial=0) > KERAS_ERROR * largest
        if far and not case.subject.in_float64:  # else Keras itself is the truth
            fault = f"output {index} of Keras is off by {keras_off.max():.1g}"
        if apart > case.subject.float64_agreement:
            fault = f"output {index} in float64 differs from Keras's by {apart:.1g}"
    return Outcome(case, error, ulp, keras_ulp, fault)


def last_place(exact: np.ndarray) -> np.ndarray:
    """Return each element's unit in the last place, at least that of their root mean square."""
    typical = np.sqrt(np.mean(exact**2)) if exact.size else 0.0
    return np.spacing(np.maximum(np.abs(exact), max(typical, 1e-30)).astype(np.float32))

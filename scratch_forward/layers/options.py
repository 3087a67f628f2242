"""Validation of layer options. Errors name the option, its value and the allowed values."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from scratch_forward import activations
from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Layer

Option = TypeVar("Option")


def activation_option(option: str, value: Any) -> activations.Activation:
    """Return an activation function by name, or an activation layer without weights.

    Raises:
        InvalidOption: If the name is unknown, or the layer has weights, which Keras does not save.
    """
    function = activations.get(value, option)
    if isinstance(function, Layer) and type(function).weight_shapes is not Layer.weight_shapes:
        raise InvalidOption(option, function.class_name, "an activation without weights")
    return function


def one_of(option: str, value: Option, allowed: tuple[Any, ...]) -> Option:
    """Return `value` if it is one of the allowed values.

    Raises:
        InvalidOption: If it is not.
    """
    if not any(type(value) is type(choice) and value == choice for choice in allowed):
        words = " or ".join(repr(choice) for choice in allowed)
        raise InvalidOption(option, value, words)
    return value


def data_format_option(value: str | None) -> str:
    """Return the option `data_format`, by default `"channels_last"`.

    Raises:
        InvalidOption: If it is neither that nor `"channels_first"`.
    """
    return one_of("data_format", value or "channels_last", ("channels_last", "channels_first"))


def positive(option: str, value: Any) -> int:
    """Return `value` if it is a positive integer.

    Raises:
        InvalidOption: If it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value <= 0:
        raise InvalidOption(option, value, "a positive integer")
    return int(value)


def optional_positive(option: str, value: Any) -> int | None:
    """Return `value` if it is None or a positive integer.

    Raises:
        InvalidOption: If it is neither.
    """
    return None if value is None else positive(option, value)


def integers(option: str, value: Any, rank: int, least: int = 1) -> tuple[int, ...]:
    """Return `rank` integers, each at least `least`. A single integer is repeated.

    Raises:
        InvalidOption: For any other value.
    """
    items = (value,) * rank if isinstance(value, int | np.integer) else value
    if (
        not isinstance(items, list | tuple)
        or len(items) != rank
        or any(isinstance(i, bool) or not isinstance(i, int | np.integer) for i in items)
        or min(items) < least
    ):
        raise InvalidOption(option, value, f"an integer or {rank} of them, at least {least}")
    return tuple(int(i) for i in items)


def boolean(option: str, value: Any) -> bool:
    """Return `value` if it is a bool.

    Raises:
        InvalidOption: If it is not.
    """
    if not isinstance(value, bool | np.bool_):
        raise InvalidOption(option, value, "true or false")
    return bool(value)


def number(option: str, value: Any, least: float = -np.inf, most: float = np.inf) -> float:
    """Return `value` if it is a finite number within the range.

    Raises:
        InvalidOption: If it is not.
    """
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | np.number)
        or not np.isfinite(value)
        or not least <= value <= most
    ):
        bounds = "" if (least, most) == (-np.inf, np.inf) else f" from {least:g} to {most:g}"
        raise InvalidOption(option, value, f"a finite number{bounds}")
    return float(value)

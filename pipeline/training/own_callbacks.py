"""Callbacks that functions of the user make."""

from collections.abc import Sequence

from pipeline.functions.lookup import FunctionError, own_function
from pipeline.models.keras_backend import keras


def own_callbacks(names: Sequence[str]) -> list[keras.callbacks.Callback]:
    """Call each function `module:function` for a new callback.

    Raises:
        FunctionError: when there is no such function, or it raises or returns something else.
    """
    return [_made(name) for name in names]


def _made(name: str) -> keras.callbacks.Callback:
    function, _ = own_function("callbacks", name)
    try:
        made = function()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise FunctionError(f"callbacks={name} raises {reason}") from error
    if not isinstance(made, keras.callbacks.Callback):
        raise FunctionError(
            f"callbacks={name} returns {type(made).__name__} instead of a keras.callbacks.Callback."
        )
    return made

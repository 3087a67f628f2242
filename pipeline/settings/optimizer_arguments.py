"""The optimizers of the installed Keras and their arguments, as settings.

They are read from Keras's source: importing Keras takes seconds, which `--help` and a refused
command must not cost.
"""

import ast
import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

import pydantic
from pydantic import Field

from pipeline.settings import schema
from pipeline.settings.allowed import allowed
from pipeline.settings.as_typed import as_typed
from pipeline.settings.keras_names import exports, keras_source

_MODULES = "keras.src.optimizers."
_TAKES_RATE = re.compile(r"def __init__\(\s*self,\s*learning_rate=")  # not wrappers, not the base
_OURS = ("self", "learning_rate", "name")  # the learning rate is a setting of its own

_Finite = Annotated[float, Field(allow_inf_nan=False)]
_AtLeastTwo = Annotated[int, Field(ge=2)]
_TYPES: dict[str, Any] = {
    **dict.fromkeys(("beta_1", "beta_2", "adam_beta_1", "adam_beta_2", "rho"), schema.Share),
    **dict.fromkeys(("momentum", "ema_momentum"), schema.Momentum),
    **dict.fromkeys(("weight_decay", "adam_weight_decay", "epsilon"), schema.Penalty),
    **dict.fromkeys(
        ("clipnorm", "clipvalue", "global_clipnorm", "loss_scale_factor"), schema.Positive
    ),
    "adam_lr_ratio": schema.Positive,  # Keras's default is written as a whole number
    "clip_threshold": schema.Positive,
    "initial_accumulator_value": schema.Penalty,
    "learning_rate_power": Annotated[float, Field(le=0, allow_inf_nan=False)],
    **dict.fromkeys(
        (
            "l1_regularization_strength",
            "l2_regularization_strength",
            "l2_shrinkage_regularization_strength",
        ),
        schema.Penalty,
    ),
    "ema_overwrite_frequency": schema.Count,
    "gradient_accumulation_steps": _AtLeastTwo,
    "ns_steps": schema.Count,
    "warmup_steps": Annotated[int, Field(ge=0)],
    "exclude_layers": schema.Words,
}
"""Arguments whose default does not say everything about their type and range."""
_OF_DEFAULT: dict[type, Any] = {bool: bool, int: int, float: _Finite, str: str}


@cache
def keras_optimizers() -> Mapping[str, str]:
    """Return the class of each optimizer by its name, as in `{"adamw": "AdamW"}`."""
    return {name: class_name for name, (class_name, _) in sorted(_sources().items())}


def optimizer_arguments(name: str) -> tuple[str, ...]:
    """Return the arguments of an optimizer that are settings; none if it does not exist."""
    if name not in keras_optimizers():
        return ()
    return tuple(key for key in optimizer_defaults(name) if key not in _OURS)


@cache
def optimizer_defaults(name: str) -> Mapping[str, Any]:
    """Return the default of each argument of an optimizer, with the learning rate."""
    class_name, source = _sources()[name]
    (class_node,) = (
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and node.name == class_name
    )
    (constructor,) = (
        node
        for node in class_node.body
        if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    )
    arguments = constructor.args.args
    defaults = constructor.args.defaults
    return {
        argument.arg: ast.literal_eval(default)
        for argument, default in zip(arguments[-len(defaults) :], defaults, strict=True)
    }


@cache
def optimizer_settings(name: str) -> type[schema.Optimizer]:
    """Return the settings of an optimizer: its arguments with their types, ranges and defaults."""
    defaults = optimizer_defaults(name)
    fields: dict[str, Any] = {
        key: (_type(key, defaults[key]), defaults[key]) for key in optimizer_arguments(name)
    }
    return pydantic.create_model(keras_optimizers()[name], __base__=schema.Optimizer, **fields)


def composed_optimizer(name: str) -> dict[str, Any]:
    """Return the configuration of an optimizer that has no file; arguments of None are left out."""
    defaults = optimizer_defaults(name)
    given = {k: defaults[k] for k in optimizer_arguments(name) if defaults[k] is not None}
    return {"learning_rate": defaults["learning_rate"], "optimizer": {"name": name, **given}}


def optimizer_heading(name: str) -> str:
    """Return the beginning of a configuration file for an optimizer that has none."""
    rate = optimizer_defaults(name)["learning_rate"]
    return f"learning_rate: {rate} # learning rate, above 0\noptimizer:\n"


def optimizer_lines(name: str) -> dict[str, str]:
    """Return a commented line of a configuration file per argument, with Keras's default."""
    kind = optimizer_settings(name)
    properties = kind.model_json_schema()["properties"]
    return {
        key: f"  {key}: {as_typed(kind.model_fields[key].default)} # {allowed(properties[key])}\n"
        for key in optimizer_arguments(name)
    }


def _type(key: str, default: object) -> Any:
    if default is None:
        return _TYPES[key] | None if key in _TYPES else Any
    return _TYPES.get(key) or _OF_DEFAULT[type(default)]


@cache
def _sources() -> Mapping[str, tuple[str, str]]:
    """Return class name and source of each optimizer that a model can be compiled with."""
    sources = {
        name: keras_source(f"{module.replace('.', '/')}.py")
        for module, name in exports("optimizers")
        if module.startswith(_MODULES)
    }
    return {
        name.lower(): (name, source)
        for name, source in sources.items()
        if _TAKES_RATE.search(source)
    }

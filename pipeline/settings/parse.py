"""Turns a composed configuration into `Settings`, or reports one sentence per fault."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

import yaml
from pydantic import ValidationError, create_model

from pipeline.errors import choices, did_you_mean
from pipeline.functions.lookup import is_own
from pipeline.settings import schema
from pipeline.settings.allowed import allowed
from pipeline.settings.as_typed import as_typed, parameter
from pipeline.settings.cross_checks import cross_check
from pipeline.settings.data_function import data_function
from pipeline.settings.masking import masked
from pipeline.settings.mlflow_environment import PASSWORD, USERNAME
from pipeline.settings.model_function import built_in_models, model_function
from pipeline.settings.optimizer_arguments import keras_optimizers, optimizer_settings
from pipeline.settings.schema import DATASETS, SCHEDULES, TRACKING
from pipeline.settings.scores import SELECT_BY
from pipeline.settings.settings_error import SettingsError, refuse

Config = Mapping[str, Any]
_RUN_ID = re.compile("[0-9a-fA-F]{1,32}|latest|best")
Kind = TypeVar("Kind", bound=schema.Group)

_NO_PARAMETERS = {
    *("sweep", "study", "tracking", "resources"),
    *schema.Place.model_fields,
    *schema.Running.model_fields,
}


_RAN = {
    "workers": 1,
    "rerun": False,
    "retry": "all",
    "fail_fast": False,
    "dry_run": False,
    "select_by": SELECT_BY[0],
    "schedule": {"name": "constant", "warmup_epochs": 0},
    "resources": {"cpus": "auto", "gpus": "auto", "memory": "auto"},
}
_NO_SWEEP: dict[str, object] = {
    "id": None,
    "identity": None,
    "varied": [],
    "job": 1,
    "jobs": 1,
    "started": None,
    "threads": None,
}


def parse_settings(config: Config) -> schema.Settings:
    """Check a resolved configuration and convert it to typed settings.

    Args:
        config: the composed configuration as plain Python values, without the `hydra` node.

    Raises:
        SettingsError: with every fault found, not only the first.
    """
    refuse([*_unknown_names(config), *_unknown_optimizer(config)])
    function = model_function(config["model"]["name"])
    given = set(schema.Texts.model_fields) & set(config)
    if given and not function.accepts("text"):
        raise SettingsError([unknown_option(key, config, ()) for key in sorted(given)])
    types = _Types(
        function.settings,
        _dataset_settings(config["dataset"]["name"]),
        optimizer_settings(config["optimizer"]["name"]),
    )
    settings = _parse(config, types)
    refuse(cross_check(settings))
    return settings


def _parse(config: Config, types: "_Types") -> schema.Settings:
    faults: list[str] = []
    layout = _layout(config, types)
    groups = {
        field: _parse_group(kind, prefix, _values(config, kind, prefix), faults)
        for field, kind, prefix in layout
    }
    faults += _unknown_keys(config, layout)
    refuse(faults)
    return schema.Settings.model_validate({"model_name": config["model"]["name"], **groups})


def parse_stored(config: Config) -> schema.Settings:
    """Return the settings of a stored run, made by this version or an earlier one.

    Settings of the sweep are ignored, and keys that an earlier version did not have get neutral
    values. Functions of the user and the optimizer need not exist here: weights are stored, and
    settings were checked.

    Raises:
        SettingsError: when a value that the parity check needs is damaged.
    """
    whole = {**_RAN, **config, "sweep": {**_NO_SWEEP, **config.get("sweep", {})}}
    refuse(_unknown_names(whole))
    stored = _Types(schema.Model, _stored_dataset(whole["dataset"]), schema.StoredOptimizer)
    others = {key for _, kind, prefix in _layout(whole, stored) for key in _keys(kind, prefix)}
    given: dict[str, Any] = {
        key: (Any, ...) for key in whole if key not in {*others, "model", "study"}
    }
    given |= {key: (Any, ...) for key in whole["model"] if key != "name"}
    model = create_model("StoredModel", __base__=schema.Model, **given)
    return _parse(whole, stored._replace(model=model))


def _dataset_settings(name: str) -> type[schema.Data]:
    return data_function(name).settings if is_own(name) else DATASETS[name]


def _stored_dataset(stored: Config) -> type[schema.Data]:
    """Return the settings of a data set; any arguments of a function that need not exist."""
    if not is_own(stored["name"]):
        return DATASETS[stored["name"]]
    known = schema.FunctionData.model_fields
    arguments: dict[str, Any] = {key: (Any, ...) for key in stored if key not in known}
    return create_model("StoredData", __base__=schema.FunctionData, **arguments)


def parse_dataset(dataset: Config) -> schema.Data:
    """Check the `dataset` node of a configuration without a model.

    Raises:
        SettingsError: with every fault found.
    """
    name = dataset.get("name")
    if name not in DATASETS and not is_own(name):
        raise SettingsError([f"dataset.name={as_typed(name)} must be {choices(DATASETS)}."])
    return parse_group(_dataset_settings(str(name)), dataset, "dataset")


def parse_tracking(tracking: Config) -> schema.LocalTracking | schema.ServerTracking:
    """Check the `tracking` node of a configuration without a model.

    Raises:
        SettingsError: when it does not describe a store that can be opened.
    """
    if tracking.get("kind") not in TRACKING:
        raise SettingsError([f"tracking must be {choices(TRACKING)}."])
    return parse_group(TRACKING[tracking["kind"]], tracking, "tracking")


def flat_parameters(config: Config) -> dict[str, str]:
    """Return every hyperparameter by its command-line name, with its value as typed.

    `{"model": {"name": "lstm"}, "mask": True, "dataset": {"name": "nusax", "language": "english"}}`
    becomes `{"model": "lstm", "mask": "true", "dataset": "nusax", "dataset.language": "english"}`.
    """
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if key in _NO_PARAMETERS:
            continue
        if isinstance(value, Mapping) and key not in schema.Training.model_fields:
            flat[key] = value["name"]
            flat |= {f"{key}.{name}": item for name, item in value.items() if name != "name"}
        else:
            flat[key] = value
    return {key: parameter(key, value) for key, value in flat.items()}


def parse_run_choice(values: Config) -> schema.RunChoice:
    """Check which run a command refers to; other keys of its configuration are ignored.

    Raises:
        SettingsError: with every fault found.
    """
    own = {key: values[key] for key in schema.RunChoice.model_fields}
    chosen = parse_group(schema.RunChoice, own)
    if chosen.run_id is not None and not _RUN_ID.fullmatch(chosen.run_id):
        raise SettingsError(
            [
                f"run_id={chosen.run_id} must be the id of a run, the beginning of one (such as "
                "c8b8aa4e), latest or best."
            ]
        )
    return chosen


def parse_runs_choice(values: Config) -> schema.RunChoice:
    """Check which run, or all finished runs of which sweep or experiment, a command refers to.

    Raises:
        SettingsError: when the choice cannot be read, or there is none.
    """
    chosen = parse_run_choice(values)
    if not (chosen.run_id or chosen.sweep or chosen.experiment):
        raise SettingsError(
            ["run_id=..., sweep=... or experiment=... is needed; run_id may be latest or best."]
        )
    return chosen


def parse_group(kind: type[Kind], values: Config, prefix: str = "") -> Kind:
    """Check a group of settings that stands alone.

    Args:
        kind: the type of the group.
        values: all of its settings, by name.
        prefix: what their names begin with on the command line, `dataset`.

    Raises:
        SettingsError: with every fault found.
    """
    faults: list[str] = []
    parsed = _parse_group(kind, prefix, dict(values), faults)
    if not isinstance(parsed, kind):
        raise SettingsError(faults)
    return parsed


_Layout = list[tuple[str, type[schema.Group], str]]


class _Types(NamedTuple):
    """The types of groups whose settings depend on a choice."""

    model: type[schema.Model]
    dataset: type[schema.Data]
    optimizer: type[schema.Optimizer]


def _layout(config: Config, types: _Types) -> _Layout:
    """Return where each group of settings is: (field of Settings, its type, prefix of keys)."""
    return [
        ("model", types.model, "model" if len(config["model"]) > 1 else ""),
        ("texts", schema.Texts, ""),
        ("training", schema.Training, ""),
        ("place", schema.Place, ""),
        ("running", schema.Running, ""),
        ("resources", schema.Resources, "resources"),
        ("dataset", types.dataset, "dataset"),
        ("optimizer", types.optimizer, "optimizer"),
        ("schedule", SCHEDULES[config["schedule"]["name"]], "schedule"),
        ("tracking", TRACKING[config["tracking"]["kind"]], "tracking"),
        ("sweep", schema.Sweep, "sweep"),
    ]


def _unknown_names(config: Config) -> list[str]:
    """Return faults in the fixed `name` of a group, which all further checks depend on."""
    known: dict[tuple[str, str], Iterable[str]] = {
        ("dataset", "name"): DATASETS,
        ("schedule", "name"): SCHEDULES,
        ("tracking", "kind"): TRACKING,
    }
    return [
        f"{group}.{key}={as_typed(config[group].get(key))} must be {choices(names)}; "
        f"choose it with {group}=..."
        for (group, key), names in known.items()
        if config[group].get(key) not in names
        and not (group == "dataset" and is_own(config[group].get(key)))
    ]


def _unknown_optimizer(config: Config) -> list[str]:
    name = config["optimizer"].get("name")
    if name in keras_optimizers():
        return []
    return [
        f"optimizer.name={as_typed(name)} must be {choices(keras_optimizers())}; "
        "choose it with optimizer=..."
    ]


def _values(config: Config, kind: type[schema.Group], prefix: str) -> dict[str, Any]:
    if prefix == "model":
        return {key: value for key, value in config[prefix].items() if key != "name"}
    if prefix:
        return dict(config[prefix])
    return {key: config[key] for key in kind.model_fields if key in config}


def _keys(kind: type[schema.Group], prefix: str) -> set[str]:
    return {prefix} if prefix else set(kind.model_fields)


def _unknown_keys(config: Config, layout: _Layout) -> list[str]:
    known = {"model", "study"}  # a study's question and claim do not change a run
    for _, kind, prefix in layout:
        known |= _keys(kind, prefix)
    return [unknown_option(key, config, known) for key in config if key not in known]


def unknown_option(key: str, config: Config, known: Iterable[str]) -> str:
    """Return a sentence on an unknown key; another group choice may define it."""
    group, dot, _ = key.partition(".")
    if group == "sweep":
        return f"`{key}` cannot be set: the sweep sets it."
    if dot and isinstance(config.get(group), Mapping):
        choice = config[group].get("name") or config[group].get("kind")
        chosen = f"{group}={choice}" if choice else f"`{group}`"
        names = [name.removeprefix(f"{group}.") for name in known if f"{group}." in name]
        siblings = [name for name in names if name not in ("name", "kind")]
        meant = did_you_mean(key.removeprefix(f"{group}."), siblings)
        lists = siblings and (group == "optimizer" or not choice)
        offered = f"; it has {choices(siblings)}" if lists else ""
        return f"`{key}` is not an option of {chosen}{meant}{offered}."
    model = config["model"]["name"]
    if key in schema.Texts.model_fields:
        return f"`{key}` is an option of models that read texts, not of model={model}."
    owners = [name for name in built_in_models() if key in model_function(name).defaults]
    if owners:
        return f"`{key}` is an option of model={choices(owners)}, not of model={model}."
    return f"`{key}` is not an option of model={model}{did_you_mean(key, known)}."


def _parse_group(
    kind: type[schema.Group], prefix: str, values: dict[str, Any], faults: list[str]
) -> schema.Group | None:
    try:
        return kind(**values)
    except ValidationError as error:
        properties = kind.model_json_schema()["properties"]
        for detail in error.errors():
            name = str(detail["loc"][0])
            key = f"{prefix}.{name}" if prefix else name
            sentence = _sentence(key, name, values, properties)
            if sentence not in faults:
                faults.append(sentence)
        return None


def _is_number_or_switch(text: object) -> bool:
    """Return whether YAML would read a text, such as an environment variable, as another type."""
    return isinstance(text, str) and isinstance(yaml.safe_load(text), bool | int | float)


def _sentence(key: str, name: str, values: dict[str, Any], properties: dict[str, Any]) -> str:
    if name not in properties:
        return f"`{key}` is not a setting; known are {choices(properties)}."
    if values.get(name) is None:
        return f"{key} is not set: it must be {allowed(properties[name])}."
    if masked(str(values[name])) != str(values[name]):
        return (
            f"{key}={masked(str(values[name]))} in a file must hold no password: set {USERNAME} "
            f"and {PASSWORD}."
        )
    if "enum" not in properties[name] and _is_number_or_switch(values[name]):
        return (
            f"{key}='{values[name]}' is text and must be {allowed(properties[name])}; "
            "${oc.decode:...} around an interpolation reads its text as a value."
        )
    word = did_you_mean(str(values[name]), properties[name].get("enum", []))
    return f"{key}={as_typed(values[name])} must be {allowed(properties[name])}{word}."

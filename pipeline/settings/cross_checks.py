"""Combinations of valid settings that do not work together."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.data.catalogue import SPECS, Spec, spec_of
from pipeline.data.data_spec import Kind
from pipeline.errors import choices, did_you_mean
from pipeline.functions.lookup import is_own
from pipeline.settings.keras_names import keras_names
from pipeline.settings.model_function import KERAS_FILE, built_in_models, model_function
from pipeline.settings.schema import (
    CsvData,
    ImageFolderData,
    OwnData,
    PlateauSchedule,
    Settings,
    is_weights_file,
)

POOL_SIZE = 2
_RUN_ID = re.compile("[0-9a-fA-F]{4,32}")
_CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")
_PLURALS: dict[Kind, str] = {
    "text": "texts",
    "image": "images",
    "table": "tables",
    "array": "arrays",
    "inputs": "several inputs",
}
RECURRENT = "pipeline.models.recurrent"


def cross_check(settings: Settings) -> list[str]:
    """Return one sentence per combination that cannot be trained."""
    spec = spec_of(settings.dataset.name)
    own = settings.dataset.input_shape if isinstance(settings.dataset, ImageFolderData) else None
    kind = kind_before_reading(settings)
    return [
        *(kind_faults(settings, kind, spec.input_shape or own) if kind else []),
        *_something_is_left_to_train_on(settings),
        *_enough_examples(settings, spec),
        *_gradients_are_clipped_once(settings),
        *_schedule_fits(settings),
        *_functions_are_named(settings),
        *_files_exist(settings),
    ]


def notes(settings: Settings) -> list[str]:
    """Return one sentence per combination that trains, but is probably unintended."""
    return [*_padding_is_read(settings), *_average_is_lost(settings)]


def _padding_is_read(settings: Settings) -> Iterator[str]:
    model = settings.model.model_dump()
    recurrent = model_function(settings.model_name).module == RECURRENT
    if (
        recurrent
        and not (model["mask"] or model["bidirectional"])
        and (settings.texts.padding == "post")
    ):
        yield (
            "bidirectional=false mask=false padding=post: the last state has read mostly padding; "
            "mask=true skips it."
        )


def _average_is_lost(settings: Settings) -> Iterator[str]:
    given, patience = settings.optimizer.model_dump(), settings.training.early_stopping
    overwritten = given.get("ema_overwrite_frequency") is not None
    if given.get("use_ema") and patience and not overwritten:
        yield (
            f"optimizer.use_ema=true early_stopping={patience}: the weights of the best epoch are "
            "restored, not their average; optimizer.ema_overwrite_frequency lets epochs end with "
            "the average."
        )


def kind_before_reading(settings: Settings) -> Kind | None:
    """Return the kind of a data set's examples; None if only the data define it."""
    if isinstance(settings.dataset, CsvData) and settings.dataset.features:
        return "table"
    return spec_of(settings.dataset.name).kind


def kind_faults(
    settings: Settings, kind: Kind, input_shape: tuple[int, ...] | None = None
) -> Iterator[str]:
    """Yield one sentence per setting that does not fit the kind of a data set's examples."""
    if settings.training.augment and kind not in ("text", "image"):
        yield (
            f"augment=true changes texts and images, but dataset={settings.dataset.name} holds "
            f"{_PLURALS[kind]}."
        )
    function = model_function(settings.model_name)
    if not function.accepts(kind):
        names = [
            name
            for name in built_in_models()
            if model_function(name).accepts(kind) and name != KERAS_FILE
        ]
        models = [f"model={name}" for name in names]
        kinds = {name: one.kind for name, one in SPECS.items()}
        data = [f"dataset={name}" for name, one in kinds.items() if one and function.accepts(one)]
        reads = " and ".join(_PLURALS[one] for one in sorted(function.reads))
        chosen = choices(models) if models else "a function of your own"
        others = f", or {choices(data)}" if data else ""
        yield (
            f"model={settings.model_name} reads {reads}, but dataset={settings.dataset.name} holds "
            f"{_PLURALS[kind]}; choose {chosen}{others}."
        )
    elif settings.model_name == "cnn" and input_shape is not None:
        yield from _feature_maps_fit(settings.model, input_shape)


def _feature_maps_fit(model: Any, input_shape: tuple[int, ...]) -> Iterator[str]:
    """Track the smaller side of the feature map through convolutions and pooling layers."""
    side = min(input_shape[:2])
    for number in range(1, len(model.filters) + 1):
        if model.conv_padding == "valid":
            if model.kernel_size > side:
                yield (
                    f"kernel_size={model.kernel_size} is larger than the {side}x{side} feature map "
                    f"that convolution {number} reads; use a smaller kernel, fewer filters or "
                    "conv_padding=same."
                )
                return
            side -= model.kernel_size - 1
        if side < POOL_SIZE:
            yield (
                f"filters={list(model.filters)} has {len(model.filters)} layers, but the feature "
                f"map is only {side}x{side} before pooling {number}; {number - 1} or fewer fit."
            )
            return
        side //= POOL_SIZE


def _something_is_left_to_train_on(settings: Settings) -> Iterator[str]:
    data = settings.dataset
    if isinstance(data, OwnData) and data.validation_share + data.test_share >= 1:
        yield (
            f"dataset.validation_share={data.validation_share} and "
            f"dataset.test_share={data.test_share} leave nothing to train on: together they must "
            "be below 1."
        )


def _enough_examples(settings: Settings, spec: Spec) -> Iterator[str]:
    size = settings.training.train_size
    if size is None or spec.train_size is None:
        return
    if not len(spec.classes) <= size <= spec.train_size:
        yield (
            f"train_size={size} must be from {len(spec.classes)} (one example a class) to "
            f"{spec.train_size}, all that dataset={spec.name} has for training."
        )


def _gradients_are_clipped_once(settings: Settings) -> Iterator[str]:
    own = settings.optimizer.model_dump()
    values = {"clipnorm": settings.training.clipnorm}
    values |= {f"optimizer.{key}": own.get(key) for key in _CLIPS}
    clips = [f"{key}={value}" for key, value in values.items() if value is not None]
    if len(clips) > 1:
        yield f"{' and '.join(clips)} both clip gradients; Keras applies one of them at most."


def _schedule_fits(settings: Settings) -> Iterator[str]:
    schedule, training = settings.schedule, settings.training
    if schedule.warmup_epochs >= training.epochs and schedule.warmup_epochs:
        yield (
            f"schedule.warmup_epochs={schedule.warmup_epochs} must be below "
            f"epochs={training.epochs}: the learning rate is reached after the warm-up."
        )
    if isinstance(schedule, PlateauSchedule) and schedule.minimum > training.learning_rate:
        yield (
            f"schedule.minimum={schedule.minimum} must not be above "
            f"learning_rate={training.learning_rate}."
        )


def _functions_are_named(settings: Settings) -> Iterator[str]:
    for key, name in settings.training.functions:
        if is_own(name):
            continue
        if key == "callbacks":
            yield f"callbacks: {name} must be a function of your own, my_module:my_function."
        elif name not in (known := keras_names("losses" if key == "loss" else "metrics")):
            yield (
                f"{key}: {name} must be {choices(known)}{did_you_mean(name, known)}, or a function "
                "of your own, my_module:my_function."
            )


def _files_exist(settings: Settings) -> Iterator[str]:
    weights = settings.training.initial_weights
    files = {"initial_weights": weights if is_weights_file(weights) else None}
    if settings.model_name == KERAS_FILE:
        files["model.path"] = settings.model.model_dump()["path"]
    for key, path in files.items():
        if path is not None and not is_weights_file(path):
            yield f"{key}={path} must be a .keras or .h5 file."
        elif path is not None and not Path(path).is_file():
            yield f"{key}={path} does not exist."
    if weights is not None and not is_weights_file(weights) and not _RUN_ID.fullmatch(weights):
        yield (
            f"initial_weights={weights} must be the id of a run, the beginning of one, or a .keras "
            "or .weights.h5 file."
        )

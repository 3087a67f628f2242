"""Entry points: `load` for files, `from_keras` for live Keras models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from scratch_forward.errors import ArchiveError, InvalidOption
from scratch_forward.io.configuration import model_from_config
from scratch_forward.io.keras_2_configuration import as_keras_3
from scratch_forward.io.limits import Limits
from scratch_forward.io.live_models import (
    check_merged,
    config_of,
    saved_weights,
    stores_other_weights,
)
from scratch_forward.io.model_file import ModelFile
from scratch_forward.io.model_files import read_model_file
from scratch_forward.io.weights import assign_weights
from scratch_forward.layers.base import Layer
from scratch_forward.layers.lookup import IndexLookup
from scratch_forward.models.functional import Model
from scratch_forward.models.sequential import Sequential


def load(
    path: str | Path,
    dtype: DTypeLike = "float32",
    limits: Limits | None = None,
    verify: bool = False,
    custom_objects: Mapping[str, Any] | None = None,
) -> Model | Sequential:
    """Load a model that Keras saved. Keras is not needed.

    Args:
        path: A `.keras` file, the directory that it unpacks to, or a whole model in an HDF5 file,
            written by Keras 2 or 3.
        dtype: `"float32"`, or `"float64"` for a reference to measure rounding errors against.
        limits: Limits on the file. Defaults to `Limits()`.
        verify: Whether to replay the parity card beside the file (`model.card.npz` for
            `model.keras`) and refuse a model whose outputs differ from those of Keras.
        custom_objects: Replacements for classes that are not part of Keras. Maps a class name, or
            the name of a `Lambda` layer, to a subclass of `Layer` or a function on arrays.

    Returns:
        The model with its weights.

    Raises:
        ArchiveError: If the file is malformed, inconsistent or exceeds a limit, or if it does not
            match its card.
        UnsupportedModelError: If the model uses unsupported features. The error lists all of them.
    """
    bounds = limits or Limits()
    file = read_model_file(path, bounds)
    config = file.config
    if file.is_keras_2 or "module" not in config:
        config = as_keras_3(config, file.is_keras_2)
    model = model_from_config(config, bounds, custom_objects)
    file.assign(model)
    for layer_path, layer in model.walk():
        _load_assets(file, layer_path, layer)
    model.set_dtype(dtype)
    if verify:
        from scratch_forward.card import verify_card  # needed for verification only

        verify_card(
            path, model, oracle=lambda: load(path, "float64", limits, custom_objects=custom_objects)
        )
    return model


def _load_assets(file: ModelFile, layer_path: str, layer: Layer) -> None:
    texts = {name: file.read_asset(f"{layer_path}/{name}") for name in layer.assets}
    arrays = {name: file.read_array(f"{layer_path}/vars/{name}") for name in layer.stored_arrays}
    try:
        layer.load_assets(texts, arrays)
    except InvalidOption as error:
        raise ArchiveError(f"The assets of {layer_path!r} do not fit: {error}") from error


def from_keras(
    keras_model: Any,
    dtype: DTypeLike = "float32",
    limits: Limits | None = None,
    custom_objects: Mapping[str, Any] | None = None,
) -> Model | Sequential:
    """Rebuild a live Keras model. Keras itself is not imported.

    Args:
        keras_model: A built `keras.Model`. Its configuration, `get_weights()` and the vocabularies
            of its layers are read. It does not need to be compiled.
        dtype: `"float32"`, or `"float64"` for a reference to measure rounding errors against.
        limits: Limits on the model. Defaults to `Limits()`.
        custom_objects: See `load`.

    Returns:
        The model with its weights.

    Raises:
        ArchiveError: If the model is inconsistent or exceeds a limit.
        UnsupportedModelError: If the model uses unsupported features. The error lists all of them.
    """
    config = config_of(keras_model)
    model = model_from_config(config, limits or Limits(), custom_objects)
    if stores_other_weights(keras_model):
        check_merged(keras_model)
        assign_weights(saved_weights(keras_model), model)
    else:
        _set_weights(model, keras_model)
    _copy_vocabularies(keras_model, model)
    model.set_dtype(dtype)
    return model


def _set_weights(model: Model | Sequential, keras_model: Any) -> None:
    try:
        model.set_weights(keras_model.get_weights())
    except ValueError as error:
        raise ArchiveError(f"The weights of {keras_model.name!r} do not fit: {error}") from error


def _copy_vocabularies(theirs: Any, ours: Any) -> None:
    """Copy the vocabularies of lookup layers from the layers of the same name."""
    by_name = {layer.name: layer for layer in theirs.layers}
    for layer in ours.layers:
        if isinstance(layer, IndexLookup):
            their_layer = by_name[layer.name]
            layer.set_vocabulary(their_layer.get_vocabulary())
            if layer.output_mode == "tf_idf":  # Keras has no public way to get the frequencies
                lookup = getattr(their_layer, "_lookup_layer", their_layer)
                layer.set_idf_weights(np.asarray(lookup.idf_weights_const))
        elif hasattr(layer, "layers"):
            _copy_vocabularies(by_name[layer.name], layer)

"""HDF5 files organized by layer name: whole models of Keras 2 and 3, and weights of Keras 2.

The file has one group per layer of the model. Each group lists its weights with the trainable ones
first, including those of nested layers, followed by the non-trainable ones.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import h5py

from scratch_forward.errors import ArchiveError
from scratch_forward.io.archive import check_size, parse_config
from scratch_forward.io.attribute_texts import AttributeTexts
from scratch_forward.io.cudnn_weights import cudnn_shapes, from_cudnn, is_cudnn
from scratch_forward.io.limits import Limits
from scratch_forward.io.model_file import ModelFile
from scratch_forward.io.weights import Weights, assign, follow, hdf5, read_array
from scratch_forward.layers.base import Layer

_NEVER_TRAINED = ("moving_mean", "moving_variance", "mean", "variance", "count", "vector_u")
_MOST_NAMES = 10_000  # number of layers in a file, or of weights in a layer


def is_by_layer_name(content: bytes) -> bool:
    """Whether an HDF5 file lists its layers by name, as Keras 2 writes it.

    Raises:
        ArchiveError: If the file is malformed.
    """
    return hdf5(content, lambda file: _has_names(file) or "model_weights" in file)


def read_hdf5_model(content: bytes, name: str, limits: Limits) -> ModelFile:
    """Read a whole model.

    Raises:
        ArchiveError: If the file is malformed, or contains weights only.
    """
    texts = AttributeTexts(content)

    def read(file: h5py.File) -> tuple[bytes | None, str]:
        return _text_of(file, "model_config", texts), _version(file, texts)

    text, version = hdf5(content, read)
    if text is None:
        raise ArchiveError(
            f"{name!r} holds weights without the model's architecture: build the model, and call "
            f"its `load_weights({name!r})`."
        )
    check_size("model_config", len(text), "config_text_bytes", limits)

    def no_assets(part: str) -> Any:
        raise ArchiveError(
            f"An HDF5 file has no vocabularies or other assets, such as {part!r}: save the model "
            "as a .keras file."
        )

    return ModelFile(
        parse_config(text, limits),
        version,
        lambda model: _assign_weights(content, model, texts),
        no_assets,
        no_assets,
    )


def read_hdf5_weights(content: bytes, model: Layer) -> None:
    """Load weights from a file organized by layer name. Either all weights are set, or none.

    Raises:
        ArchiveError: If the file is malformed or its weights do not match the model.
    """
    _assign_weights(content, model, AttributeTexts(content))


def _assign_weights(content: bytes, model: Layer, texts: AttributeTexts) -> None:
    def read(file: h5py.File) -> list[tuple[Layer, Weights]]:
        group = file
        if "model_weights" in file:
            group = follow(file, "model_weights", h5py.Group)
        return list(_by_topology(group, model, texts))

    assign(hdf5(content, read))


def _by_topology(group: Any, model: Any, texts: AttributeTexts) -> Iterator[tuple[Layer, Weights]]:
    """Match layers that have weights by name if all names agree, else by order, as Keras does."""
    saved = {
        name: _names(follow(group, name, h5py.Group), "weight_names", texts)
        for name in _names(group, "layer_names", texts)
    }
    named = [name for name, weights in saved.items() if weights]
    ours = [layer for layer in model.layers if _slots(layer)]
    if len(named) != len(ours):
        raise ArchiveError(
            f"The weights file has {len(named)} layers with weights; the model has {len(ours)}."
        )
    by_name = {layer.name: layer for layer in ours}
    same_names = by_name.keys() == set(named)
    found: dict[int, tuple[Layer, dict[str, h5py.Dataset]]] = {}
    for name, layer in zip(named, ours, strict=True):
        target = by_name[name] if same_names else layer
        for leaf, own, dataset in _datasets(group, name, saved[name], target):
            found.setdefault(id(leaf), (leaf, {}))[1][own] = dataset
    for leaf, datasets in found.values():
        yield leaf, _weights_of(leaf, datasets, texts)


def _datasets(
    group: Any, name: str, weight_names: list[str], layer: Layer
) -> Iterator[tuple[Layer, str, h5py.Dataset]]:
    """Yield the stored weights of one layer of the model, and of the layers nested in it."""
    slots = _slots(layer)
    if len(slots) != len(weight_names):
        raise ArchiveError(
            f"Layer {name!r} holds {len(weight_names)} weights; the model has {len(slots)}."
        )
    inner = follow(group, name, h5py.Group)
    for (leaf, own), weight_name in zip(slots, weight_names, strict=True):
        yield leaf, own, follow(inner, weight_name, h5py.Dataset)


def _weights_of(leaf: Layer, datasets: dict[str, h5py.Dataset], texts: AttributeTexts) -> Weights:
    """Read the weights of a layer without nested layers. Weights of cuDNN layers are converted."""
    shapes = leaf.own_weight_shapes()
    stored = cudnn_shapes(leaf) if is_cudnn(leaf, datasets) else shapes
    weights = {
        name: read_array(datasets[name], f"{leaf.name}/{name}", stored[name], texts)
        for name in shapes
    }
    return from_cudnn(weights, shapes) if stored is not shapes else weights


def _slots(layer: Layer) -> list[tuple[Layer, str]]:
    """Return the weights of a layer and its nested layers, in the order of the file."""
    slots = [
        (frozen or name in _NEVER_TRAINED, leaf, name)
        for leaf, frozen in _leaves(layer, False, set())
        for name in leaf.own_weight_shapes()
    ]
    return [(leaf, name) for _, leaf, name in sorted(slots, key=lambda slot: slot[0])]


def _leaves(layer: Layer, frozen: bool, seen: set[int]) -> Iterator[tuple[Layer, bool]]:
    """Yield a layer and its nested layers, each once, with a flag for those not trained."""
    if id(layer) in seen:
        return
    seen.add(id(layer))
    frozen = frozen or not layer.trainable
    yield layer, frozen
    for child in layer.children().values():
        yield from _leaves(child, frozen, seen)


def _names(group: Any, attribute: str, texts: AttributeTexts) -> list[str]:
    """Return the names that an attribute lists. Long lists are split over several attributes."""
    if attribute in group.attrs:
        return _list_of(group, attribute, texts)
    names: list[str] = []
    for index in itertools.count():
        if f"{attribute}{index}" not in group.attrs:
            return names
        names += _list_of(group, f"{attribute}{index}", texts)
        if len(names) > _MOST_NAMES:
            break
    raise ArchiveError(f"The weights file lists more than {_MOST_NAMES:,} names.")


def _list_of(group: Any, attribute: str, texts: AttributeTexts) -> list[str]:
    """Return the strings in an attribute, after checking their number."""
    if math.prod(group.attrs.get_id(attribute).shape) > _MOST_NAMES:
        raise ArchiveError(f"The weights file lists more than {_MOST_NAMES:,} names.")
    values = texts.read(group, attribute)
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values]


def _has_names(group: Any) -> bool:
    return "layer_names" in group.attrs or "layer_names0" in group.attrs


def _text_of(file: h5py.File, attribute: str, texts: AttributeTexts) -> bytes | None:
    """Return a string attribute, or None if it does not exist."""
    value = texts.read(file, attribute)
    if value is not None and not isinstance(value, str | bytes):
        raise ArchiveError(f"The attribute {attribute!r} is not text.")
    return value.encode() if isinstance(value, str) else value


def _version(file: h5py.File, texts: AttributeTexts) -> str:
    """Return the Keras version that wrote a file. Versions before 2 did not record it."""
    for group in (file, file.get("model_weights")):
        value = texts.read(group, "keras_version") if isinstance(group, h5py.Group) else None
        if value is not None:
            return value.decode() if isinstance(value, bytes) else str(value)
    return "1"

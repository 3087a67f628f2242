"""Model and weights files of all Keras formats. The content determines the format."""

from __future__ import annotations

from pathlib import Path

from scratch_forward.errors import ArchiveError
from scratch_forward.io.archive import file_bytes, read_archive, read_folder
from scratch_forward.io.file_kinds import HDF5, ZIP, looks_like
from scratch_forward.io.hdf5_models import is_by_layer_name, read_hdf5_model, read_hdf5_weights
from scratch_forward.io.limits import Limits
from scratch_forward.io.model_file import ModelFile
from scratch_forward.io.shards import read_shards
from scratch_forward.io.weights import assign_sharded_weights, assign_weights
from scratch_forward.layers.base import Layer


def read_model_file(path: str | Path, limits: Limits) -> ModelFile:
    """Read a whole model: a `.keras` file, the directory it unpacks to, or an HDF5 file.

    Raises:
        ArchiveError: If the file is malformed, exceeds a limit, or has an unknown format.
    """
    source = Path(path)
    if source.is_dir():
        return read_folder(source, limits)
    if not source.is_file():
        raise ArchiveError(f"There is no file {str(source)!r}.")
    content = file_bytes(source, source.name, "archive_bytes", limits)
    if content.startswith(HDF5):
        return read_hdf5_model(content, source.name, limits)
    if content.startswith(ZIP):
        return read_archive(content, source.name, limits)
    kind = looks_like(content)
    raise ArchiveError(
        f"{source.name!r} is not a readable .keras archive nor an HDF5 file"
        f"{f'; it is {kind}' if kind else ''}."
    )


def read_weights(path: str | Path, model: Layer, limits: Limits) -> None:
    """Load a model's weights from a weights file, or from a file with a whole model.

    Raises:
        ArchiveError: If the file is malformed or its weights do not match the model.
    """
    source = Path(path)
    if source.name.endswith(".weights.json"):
        assign_sharded_weights(read_shards(source, limits), model)
        return
    if source.is_file():
        content = file_bytes(source, source.name, "archive_bytes", limits)
        if content.startswith(HDF5) and is_by_layer_name(content):
            read_hdf5_weights(content, model)
            return
        if content.startswith(HDF5):
            assign_weights(content, model)
            return
    read_model_file(source, limits).assign(model)

"""Limits on what a model file may contain."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Limits on a model file, checked before anything of that size is read or allocated.

    The defaults suit models that NumPy can run. Raise a limit for a model that is known to be
    larger: ConvNeXtXLarge, the largest of `keras.applications`, has 350 million weights.

    Attributes:
        archive_bytes: Size of the file in bytes.
        members: Number of files in the archive.
        member_bytes: Unpacked size of one file in the archive, in bytes.
        expansion_ratio: Unpacked size of the archive divided by its packed size.
        config_text_bytes: Size of the model's configuration, such as `config.json`, in bytes.
        config_bytes: Size of the configuration without weight initializers, in bytes. Initializers
            are not read.
        config_depth: Nesting depth of lists and objects in `config.json`.
        config_objects: Number of lists and objects in `config.json`.
        asset_bytes: Size of one text file, such as a vocabulary, in bytes.
        layers: Number of layers, including nested ones.
        calls: Number of layer calls that one prediction makes. A shared model counts all its layers
            each time that it is called.
        parameters: Number of weights.
    """

    archive_bytes: int = 512 * MEGABYTE
    members: int = 256
    member_bytes: int = 512 * MEGABYTE
    expansion_ratio: float = 20.0
    config_text_bytes: int = 64 * MEGABYTE
    config_bytes: int = 8 * MEGABYTE
    config_depth: int = 64
    config_objects: int = 500_000
    asset_bytes: int = 32 * MEGABYTE
    layers: int = 2_000
    calls: int = 20_000
    parameters: int = 100_000_000

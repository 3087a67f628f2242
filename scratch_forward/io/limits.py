"""How much a model file may ask for."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Bounds on a model file, checked before anything of that size is read or allocated.

    The defaults suit models that NumPy can run; raise one for a model that is known to be larger.

    Attributes:
        archive_bytes: Size of the file.
        members: Number of files in the archive.
        member_bytes: Size of one file in the archive once it is unpacked.
        expansion_ratio: Unpacked size of the archive over its size.
        config_text_bytes: Size of the model's configuration, such as `config.json`.
        config_bytes: Size of the same without the initializers of weights, which are not read.
        config_depth: How deep lists and objects nest in `config.json`.
        config_objects: Number of lists and objects in it.
        asset_bytes: Size of one text file, such as a vocabulary.
        layers: Number of layers, those inside other layers counted.
        calls: Number of calls of layers that one prediction makes, for every layer a shared model
            inside calls again.
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

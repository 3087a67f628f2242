"""`image_folder`: the user's own images, in one folder per class."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data import large_arrays
from pipeline.data.examples import Examples, Source
from pipeline.data.published.download import read_bytes
from pipeline.data.user.division import (
    PART_NAMES,
    WHOLE,
    Division,
    class_names,
    division_phrase,
    label_indices,
    three_parts,
)
from pipeline.data.user.image_files import SUFFIXES, decode
from pipeline.data.user.location import locate
from pipeline.errors import DatasetError

_OF_THE_SYSTEM = ("thumbs.db", "desktop.ini")
"""Files that desktops create in folders of images, in addition to hidden ones."""
_DARK = 2**14  # 16-bit images that stay below this are reported; 12 bits reach 4,095


@dataclass(frozen=True)
class _File:
    part: str
    label: str
    path: Path


@dataclass(frozen=True, eq=False)
class _Read:
    sha256: str
    size: tuple[int, int]
    brightest: int | None


def read(
    data_dir: Path,
    *,
    path: str,
    height: int,
    width: int,
    colour: bool,
    validation_share: float,
    test_share: float,
    split_seed: int,
    classes: Sequence[str] | None = None,
) -> Source:
    """Read a folder of class folders, optionally below `train`, `test` and `validation`.

    Args:
        data_dir: searched for data of the same name, to mention them if `path` does not exist.
        path: the folder.
        height: target height of all images, in pixels.
        width: target width of all images, in pixels.
        colour: True for RGB, False for greyscale.
        validation_share: share of each class for validation, if no folder defines it.
        test_share: share of each class for the test, if no folder defines it.
        split_seed: decides which examples are held out.
        classes: class names in label order; None uses the folder names.

    Raises:
        DatasetError: when the folder does not exist, has another layout, or an image is damaged.
    """
    folder = locate(path, data_dir)
    files = _files(folder)
    names = class_names((file.label for file in files), classes, folder)
    places = [str(file.path.parent) for file in files]
    labels = label_indices([file.label for file in files], names, places)
    parts = [file.part for file in files]
    division = Division(validation_share, test_share, split_seed)
    three_parts(parts, labels, names, division, folder)  # raises before anything is decoded
    pixels = large_arrays.empty((len(files), height, width, 3 if colour else 1), np.uint8)
    done = _read_all(files, pixels)
    everything = Examples(pixels, labels)
    return Source.divided(
        everything,
        three_parts(parts, labels, names, division, folder, everything.contents()),
        classes=names,
        origin=f"{folder.name}, {_sizes(done, height, width)}, {division_phrase(parts, division)}"
        + _unused_bits(done),
        checksums={
            file.path.relative_to(folder.parent).as_posix(): one.sha256
            for file, one in zip(files, done, strict=True)
        },
        scale=1 / 255,
    )


def _files(folder: Path) -> list[_File]:
    """List every image with its split and class, in a fixed order."""
    if not folder.is_dir():
        raise DatasetError(
            f"dataset.path={folder} is a file: expected a folder with a folder for each class."
        )
    return [
        _File(part, class_folder.name, image)
        for part, part_folder in _parts(folder)
        for class_folder in _class_folders(part_folder)
        for image in _images(class_folder)
    ]


def _parts(folder: Path) -> list[tuple[str, Path]]:
    """Return each split with its folder; the whole folder if its subfolders are classes."""
    folders = [entry for entry in _entries(folder) if entry.is_dir()]
    named = {entry.name: PART_NAMES.get(entry.name.lower()) for entry in folders}
    parts = [part for part in named.values() if part is not None]
    if not parts:
        return [(WHOLE, folder)]
    if len(parts) < len(named) or len(parts) > len(set(parts)):
        raise DatasetError(
            f"{folder} has the folders {', '.join(named)}: expected a folder for each class, or "
            "train, test and optionally validation with such folders in them."
        )
    return list(zip(parts, folders, strict=True))


def _class_folders(folder: Path) -> Iterator[Path]:
    found = False
    for entry in _entries(folder):
        if entry.is_dir():
            found = True
            yield entry
        elif entry.suffix.lower() in SUFFIXES:
            raise DatasetError(f"{entry} lies in no class's folder: expected all images in one.")
    if not found:
        raise DatasetError(f"{folder} has no folders: expected one for each class.")


def _images(class_folder: Path) -> list[Path]:
    entries = _entries(class_folder)
    for entry in entries:
        if entry.is_dir() or entry.suffix.lower() not in SUFFIXES:
            kind = "a folder" if entry.is_dir() else "no image file"
            raise DatasetError(
                f"{entry} is {kind}: expected only {', '.join(SUFFIXES)} files in a class's folder."
            )
    if not entries:
        raise DatasetError(f"{class_folder} is empty: expected images of its class.")
    return entries


def _entries(folder: Path) -> list[Path]:
    """Return the user's entries of a folder, sorted by name."""
    try:
        return sorted(
            entry
            for entry in folder.iterdir()
            if not entry.name.startswith(".") and entry.name.lower() not in _OF_THE_SYSTEM
        )
    except OSError as error:
        raise DatasetError(f"{folder} cannot be read ({error.strerror}).") from error


def _read_all(files: Sequence[_File], pixels: NDArray[np.uint8]) -> list[_Read]:
    """Read all files and decode them into `pixels`, on all cores; decoding releases the GIL."""
    height, width, channels = pixels.shape[1:]

    def one(number: int) -> _Read:
        path = files[number].path
        content = read_bytes(path)
        image = decode(content, path, (height, width, channels))
        pixels[number] = image.pixels
        return _Read(hashlib.sha256(content).hexdigest(), image.size, image.brightest)

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(one, range(len(files))))


def _sizes(images: Sequence[_Read], height: int, width: int) -> str:
    """Describe the original and final image sizes in a phrase."""
    heights, widths = zip(*(one.size for one in images), strict=True)
    if set(heights) == {height} and set(widths) == {width}:
        return f"all of {height}x{width} pixels"
    least, most = f"{min(heights)}x{min(widths)}", f"{max(heights)}x{max(widths)}"
    had = least if least == most else f"{least} to {most}"
    return f"{had} pixels resized to {height}x{width}"


def _unused_bits(images: Sequence[_Read]) -> str:
    """Warn about 16-bit images whose values use fewer bits, which become nearly black."""
    brightest = max((one.brightest for one in images if one.brightest), default=0)
    if not brightest or brightest >= _DARK:
        return ""
    return f", 16-bit images reach only {brightest:,} of 65,535 and come out dark: scale them first"

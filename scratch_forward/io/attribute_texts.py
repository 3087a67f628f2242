"""Texts in attributes of HDF5 files, whose lengths are checked before libhdf5 reads them.

libhdf5 allocates the length that a variable-length text states before it looks for the text: a
damaged file of 11 kB took 4 GB. In a heap of texts with an object of no size its search never ends.
Source: HDF5 File Format Specification 3.0, sections III.E (global heap), IV.A.2.b (dataspace
message), IV.A.2.d (datatype message) and IV.A.2.m (attribute message).
"""

import math
import struct
from collections.abc import Iterator
from typing import Any

from scratch_forward.errors import ArchiveError

NAMES = (b"layer_names", b"weight_names", b"model_config", b"keras_version", b"dtype")
_HEAP = b"GCOL\1\0\0\0"  # with its version: four bytes alone occur among weights
_HEADER = 16  # bytes, of a heap and of each object in it
_VARIABLE_LENGTH = 9  # class of a datatype
_MOST_DIMENSIONS = 32


class AttributeTexts:
    """Reads texts from attributes of HDF5 files.

    The lengths are checked when the first text is read: it takes 3 ms per MB, as long as reading
    the weights, and most weights files have no text to read.
    """

    def __init__(self, *contents: bytes) -> None:
        self._unchecked = list(contents)

    def read(self, holder: Any, name: str) -> Any:
        """Return the value of an attribute of a group or dataset, or None if it does not exist.

        Raises:
            ArchiveError: If the file is damaged.
        """
        for content in self._unchecked:
            _check_lengths(content)
        self._unchecked.clear()
        return holder.attrs.get(name)


def _check_lengths(content: bytes) -> None:
    """Check the texts of all attributes that are read from an HDF5 file."""
    for heap in _places(content, _HEAP):
        if not _is_sound(content, heap):
            raise ArchiveError(f"The heap of texts at byte {heap:,} of the HDF5 file is damaged.")
    for name in NAMES:
        for start in _places(content, name):
            stated = sum(_lengths(content, start))
            if stated > len(content):
                raise ArchiveError(
                    f"The attribute {name.decode()!r} states texts of {stated:,} bytes; the file "
                    f"has {len(content):,}."
                )


def _places(content: bytes, word: bytes) -> Iterator[int]:
    place = -1
    while (place := content.find(word, place + 1)) >= 0:
        yield place


def _is_sound(content: bytes, heap: int) -> bool:
    """Whether the objects of a global heap follow each other to its end."""
    try:
        end = heap + struct.unpack_from("<Q", content, heap + 8)[0]
        place = heap + _HEADER
        while place + _HEADER <= end:
            number, size = struct.unpack_from("<H6xQ", content, place)
            whole = _HEADER + -(-size // 8) * 8 if number else size  # number 0: the free space
            if not 0 < whole <= end - place:
                return False
            place += whole
    except struct.error:  # the file ends here
        return False
    return end <= len(content)


def _lengths(content: bytes, name: int) -> Iterator[int]:
    """Yield the lengths of the texts of an attribute; none if these bytes are no attribute.

    Args:
        name: Position of the attribute's name, which follows the header of its message.
    """
    try:
        for version, header in ((1, 8), (2, 8), (3, 9)):
            found, _, *sizes = struct.unpack_from("<BBHHH", content, name - header)
            end = content.index(b"\0", name) + 1
            if (found, sizes[0]) == (version, end - name):
                boundary = 8 if version == 1 else 1
                sizes = [-(-size // boundary) * boundary for size in sizes]
                yield from _stated(content, name, *sizes)
    except (struct.error, ValueError, IndexError):  # the file ends here
        return


def _stated(content: bytes, name: int, name_size: int, type_size: int, space: int) -> Iterator[int]:
    """Yield the length at the start of each element, if its type is of variable length."""
    datatype = name + name_size
    if content[datatype] & 0x0F != _VARIABLE_LENGTH:
        return
    (step,) = struct.unpack_from("<I", content, datatype + 4)
    elements = _elements(content, datatype + type_size)
    first = datatype + type_size + space
    for place in range(first, min(first + elements * step, len(content)), max(step, 1)):
        yield struct.unpack_from("<I", content, place)[0]


def _elements(content: bytes, dataspace: int) -> int:
    version, rank = content[dataspace], content[dataspace + 1]
    if rank > _MOST_DIMENSIONS:
        return 0
    return math.prod(struct.unpack_from(f"<{rank}Q", content, dataspace + (8, 4)[version > 1]))

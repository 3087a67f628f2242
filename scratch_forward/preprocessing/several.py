"""Conversion of raw input for a model with several named inputs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from numpy.typing import NDArray

from scratch_forward.errors import PreprocessingError
from scratch_forward.preprocessing.stored_fields import class_names, stored_fields, to_json


@dataclass(frozen=True)
class InputsPreprocessing:
    """One preprocessing per input of a model.

    Attributes:
        inputs: The preprocessing of each input, by the input's name.
        classes: Class names in label order.
    """

    kind: ClassVar[Literal["inputs"]] = "inputs"

    inputs: Mapping[str, Any]
    classes: tuple[str, ...]

    def encode(self, raw: Any) -> dict[str, NDArray[Any]]:
        """Convert the raw values of N examples, by the input's name.

        Raises:
            PreprocessingError: If an input is missing, unknown or invalid.
        """
        if not isinstance(raw, Mapping) or raw.keys() != self.inputs.keys():
            given = ", ".join(map(str, raw)) if isinstance(raw, Mapping) else type(raw).__name__
            raise PreprocessingError(
                f"This model takes the inputs {', '.join(self.inputs)}, got {given}."
            )
        encoded = {}
        for name, one in self.inputs.items():
            try:
                encoded[name] = one.encode(raw[name])
            except PreprocessingError as error:
                raise PreprocessingError(f"Input `{name}`: {error}") from error
        return encoded

    def describe(self) -> str:
        """Return a phrase about each input."""
        return "; ".join(f"{name}: {one.describe()}" for name, one in self.inputs.items())

    def to_json(self) -> str:
        """Return all that is needed to encode and to name the classes, as JSON text."""
        return to_json(self)

    @classmethod
    def from_json(cls, text: str, part: Callable[[str], Any]) -> InputsPreprocessing:
        """Parse the output of `to_json`.

        Args:
            text: The JSON text.
            part: Parses the preprocessing of one input.

        Raises:
            PreprocessingError: If the text is invalid.
        """
        stored = stored_fields(text, cls)
        if not isinstance(stored["inputs"], dict) or not stored["inputs"]:
            raise PreprocessingError("inputs is not an object with one entry per input.")
        inputs = {name: part(json.dumps(one)) for name, one in stored["inputs"].items()}
        return cls(inputs, class_names(stored))

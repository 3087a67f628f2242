"""What a model must fit: the shapes and the meaning of its data."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class DataSpec:
    """The data that a model function builds a model for.

    A function that accepts only texts or only images annotates its first argument as `TextSpec` or
    `ImageSpec`.

    Attributes:
        input_shape: shape of one example without the batch: `(height, width, channels)` or
            `(length,)`.
        dtype: dtype of the inputs: `float32` for images in [0, 1], `int32` for token ids.
        outputs: number of outputs per example, equal to the number of classes.
        task: meaning of the outputs: `multiclass`, one probability per class.
        vocabulary_size: upper bound (exclusive) of the token ids; None for images.
        sequence_length: ids per text including padding (id 0); None for images.
    """

    input_shape: tuple[int, ...]
    dtype: str
    outputs: int
    task: str = "multiclass"
    vocabulary_size: int | None = None
    sequence_length: int | None = None


@dataclass(frozen=True)
class TextSpec(DataSpec):
    """Texts as rows of token ids, shape `(length,)`."""

    vocabulary_size: int = field(kw_only=True)
    sequence_length: int = field(kw_only=True)


@dataclass(frozen=True)
class ImageSpec(DataSpec):
    """Images of shape `(height, width, channels)`."""

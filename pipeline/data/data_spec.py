"""What a model has to fit: the shapes and the meaning of the data that it is built for."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class DataSpec:
    """The data that a model function builds a model for.

    A function that reads only texts, or only images, says so by annotating its first argument
    `TextSpec` or `ImageSpec` instead.

    Attributes:
        input_shape: of one example, without the batch: `(height, width, channels)` or `(length,)`.
        dtype: of the inputs: `float32` for images in [0, 1], `int32` for texts as token ids.
        outputs: how many numbers the model has to give for an example: the classes.
        task: what they mean: `multiclass`, one probability per class.
        vocabulary_size: ids of a text are below it; None for images.
        sequence_length: ids in a text, padding (id 0) included; None for images.
    """

    input_shape: tuple[int, ...]
    dtype: str
    outputs: int
    task: str = "multiclass"
    vocabulary_size: int | None = None
    sequence_length: int | None = None


@dataclass(frozen=True)
class TextSpec(DataSpec):
    """Texts as rows of token ids."""

    vocabulary_size: int = field(kw_only=True)
    sequence_length: int = field(kw_only=True)


@dataclass(frozen=True)
class ImageSpec(DataSpec):
    """Images, `(height, width, channels)`."""

"""Model functions as a user writes them: one that works, and all the ways in which they do not."""

WORKING = '''
from typing import Annotated, Literal

import pipeline
from my_layers import pooled
from pydantic import Field


def textcnn(
    data: pipeline.TextSpec,
    *,
    width: Annotated[int, Field(ge=1)] = 3,
    features: int = 8,
    activation: Literal["relu", "tanh"] = "relu",
    dropout: float = 0.5,
) -> "keras.Model":
    """One convolution over words.

    Args:
        width: words that a feature looks at.
        features (int): how many there are,
            of any kind.
    """
    import keras

    layers = keras.layers
    return keras.Sequential([
        keras.Input(data.input_shape, dtype=data.dtype),
        layers.Embedding(data.vocabulary_size, 4),
        layers.Conv1D(features, width, padding="same", activation=activation),
        pooled(),
        layers.Dropout(dropout),
        layers.Dense(data.outputs, "softmax"),
    ])
'''

HELPER = """
def pooled():
    import keras

    return keras.layers.GlobalMaxPooling1D()
"""

FAULTY = """
import pipeline


def raises(data, *, units: int = 3):
    raise RuntimeError(f"no {units}")


def returns(data):
    return None


def shapes(data: pipeline.TextSpec):
    import keras

    return keras.Sequential([
        keras.Input(data.input_shape, dtype=data.dtype),
        keras.layers.Embedding(data.vocabulary_size, 4),
        keras.layers.GlobalMaxPooling1D(),
        keras.layers.Dense(7),
    ])


def unsupported(data: pipeline.TextSpec):
    import keras

    return keras.Sequential([
        keras.Input(data.input_shape, dtype=data.dtype),
        keras.layers.Embedding(data.vocabulary_size, 4),
        keras.layers.GlobalMaxPooling1D(),
        keras.layers.Lambda(lambda x: x),
        keras.layers.Dense(data.outputs, "softmax"),
    ])


def ends(data):
    raise SystemExit(0)


def lines(data):
    raise ValueError("one\\ntwo")


def untyped(data, *, width=3):
    ...


def odd(data, *, width: dict[str, set] = None):
    ...


def clash(data, *, seed: int = 3):
    ...


def nothing():
    ...


def hidden(data, **options):
    ...


def unfit(data, *, width: int = 2.5):
    ...
"""


def write_models(folder):
    (folder / "my_models.py").write_text(WORKING, encoding="utf-8")
    (folder / "my_layers.py").write_text(HELPER, encoding="utf-8")
    (folder / "faulty_models.py").write_text(FAULTY, encoding="utf-8")
    (folder / "wrong_syntax.py").write_text("x = (\n", encoding="utf-8")
    (folder / "wrong_import.py").write_text("import nowhere_to_be_found\n", encoding="utf-8")

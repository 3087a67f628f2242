"""Functions that return data as a user writes them: those that work, and those that do not."""

WORKING = '''
from typing import Annotated, Literal

import numpy as np
from my_labels import named
from pydantic import Field


def load(
    *,
    size: Annotated[int, Field(ge=30)] = 60,
    noise: float = 0.5,
    shape: Literal["row", "image", "series"] = "row",
    limit: int | None = 60,
):
    """Two clouds of points.

    Args:
        size: number of examples.
        noise: spread of a cloud.
    """
    rng = np.random.default_rng(0)
    y = np.arange(size) % 2
    x = rng.normal(0, noise, (size, 12)) + y[:, None]
    x = {
        "row": x,
        "image": np.clip(x * 100, 0, 255).astype(np.uint8).reshape(size, 4, 3),
        "series": x.reshape(size, 4, 3),
    }[shape]
    cut = size * 2 // 3
    return (x[:cut], named(y[:cut])), (x[cut:limit], named(y[cut:limit]))


def texts():
    words = ("good", "bad")
    labels = {"train": 40, "validation": 8, "test": 10}
    labels = {part: [words[n % 2] for n in range(size)] for part, size in labels.items()}
    return {part: ([f"a {word} word" for word in y], y) for part, y in labels.items()}


def several():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    x = {
        "row": rng.normal(0, 0.5, (60, 5)) + y[:, None],
        "ids": np.stack([y, y + 1], axis=1),
    }
    cut = {name: one[40:] for name, one in x.items()}
    return ({name: one[:40] for name, one in x.items()}, y[:40]), (cut, y[40:])
'''

HELPER = """
def named(labels):
    return ["yes" if one else "no" for one in labels]
"""

FAULTY = """
import os

import numpy as np


def raises(*, size: int = 3):
    raise RuntimeError(f"no {size}")


def nothing():
    ...


def lengths():
    return (np.zeros((4, 2)), [0, 1, 0]), (np.zeros((2, 2)), [0, 1])


def one_class():
    return (np.zeros((4, 2)), [0] * 4), (np.zeros((2, 2)), [0] * 2)


def ends():
    raise SystemExit(0)


def lines():
    raise ValueError("one\\ntwo")


def moves():
    os.chdir("/")
    return (np.eye(8), [0, 1] * 4), (np.eye(8), [0, 1] * 4)


def changing():
    random = np.random.default_rng()
    texts = [" ".join(random.permutation(["one", "two", "three", "four"])) for _ in range(90)]
    labels = ["bad", "fair", "good"] * 15
    return (texts[45:], labels), (texts[:45], labels)


def clash(*, split_seed: int = 3):
    ...


def untyped(size=3):
    ...
"""


def write_data(folder):
    (folder / "my_data.py").write_text(WORKING, encoding="utf-8")
    (folder / "my_labels.py").write_text(HELPER, encoding="utf-8")
    (folder / "faulty_data.py").write_text(FAULTY, encoding="utf-8")
    (folder / "wrong_syntax.py").write_text("x = (\n", encoding="utf-8")
    (folder / "wrong_import.py").write_text("import nowhere_to_be_found\n", encoding="utf-8")
    (folder / "ending_import.py").write_text("raise SystemExit(3)\n", encoding="utf-8")

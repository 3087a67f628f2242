"""A sound archive of many kinds of layers, ways to damage one, and what loading must keep to."""

import copy
import json
import random
import resource
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

import scratch_forward as sf
from tests.support import archives

Result = TypeVar("Result")

SECONDS = 2.0  # of the processor: that a machine is busy is no fault
MEGABYTES = 200

VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 7, 10**6, 10**8, 10**30, 0.5, -0.0, 1e308),
    *("", "a", "relu", "same"),
    *([], [0], [1, 2], [[1]], {}, {"class_name": "Dense", "config": {}}, ["dense", 0, 0]),
    *({"class_name": "function", "config": "relu"}, {"class_name": "__numpy__", "config": {}}),
    archives.TENSOR,
]


def _node(*names: str) -> list[dict[str, Any]]:
    tensors = [archives.tensor(name) for name in names]
    args = tensors if len(names) == 1 else [tensors]
    return [{"args": args, "kwargs": {"training": False}}]


def _functional() -> dict[str, Any]:
    layers = [
        archives.entry("InputLayer", {"batch_shape": [None, 4, 2], "name": "x"}),
        archives.entry("LSTM", {"units": 2, "return_sequences": True, "name": "a"}),
        archives.entry(
            "Conv1D",
            {
                "filters": 2,
                "kernel_size": [2],
                "padding": "same",
                "strides": [1],
                "dilation_rate": [1],
                "name": "b",
            },
        ),
        archives.entry("Add", {"name": "c"}),
        archives.entry(
            "Normalization", {"axis": [-1], "mean": [0.0, 1.0], "variance": [1.0, 1.0], "name": "d"}
        ),
        archives.entry(
            "Bidirectional",
            {
                "merge_mode": "sum",
                "name": "e",
                "layer": archives.entry("GRU", {"units": 2, "name": "f"}),
            },
        ),
        archives.entry("Reshape", {"target_shape": [-1, 1], "name": "g"}),
    ]
    calls = [[], _node("x"), _node("x"), _node("a", "b"), _node("c"), _node("d"), _node("e")]
    for layer, nodes in zip(layers, calls, strict=True):
        layer["name"], layer["inbound_nodes"] = layer["config"]["name"], nodes
    config = {
        "name": "m",
        "layers": layers,
        "input_layers": [["x", 0, 0]],
        "output_layers": [["g", 0, 0]],
    }
    return {"module": "keras", "class_name": "Functional", "config": config}


def _weights() -> dict[str, np.ndarray]:
    shapes = {
        "layers/lstm/cell": [(2, 8), (2, 8), (8,)],
        "layers/conv1d": [(2, 2, 2), (2,)],
        "layers/bidirectional/forward_layer/cell": [(2, 6), (2, 6), (2, 6)],
        "layers/bidirectional/backward_layer/cell": [(2, 6), (2, 6), (2, 6)],
    }
    return {
        f"{path}/vars/{index}": np.ones(shape, np.float32)
        for path, sizes in shapes.items()
        for index, shape in enumerate(sizes)
    }


MEMBERS = {
    "config.json": json.dumps(_functional()),
    "model.weights.h5": archives.weights(_weights()),
    "metadata.json": "{}",
}


def places(value: Any) -> list[tuple[Any, Any]]:
    """List all (container, key) in a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, item in items:
        found.append((value, key))
        if isinstance(item, dict | list):
            found += places(item)
    return found


def damaged_config(text: str | bytes, draw: random.Random) -> bytes:
    """Return a configuration with one to three values replaced, removed or swapped."""
    whole = [json.loads(text)]  # so that there is always a place, the whole
    for _ in range(draw.randint(1, 3)):
        container, key = draw.choice(places(whole))
        if draw.random() < 0.2 and container is not whole:
            del container[key]
        elif draw.random() < 0.2:
            other, other_key = draw.choice(places(whole))
            container[key] = copy.deepcopy(other[other_key])
        else:
            container[key] = copy.deepcopy(draw.choice(VALUES))
    return json.dumps(whole[0]).encode()


def damaged_bytes(content: bytes, draw: random.Random) -> bytes:
    """Return bytes with some flipped, cut, repeated or set to extremes."""
    data = bytearray(content)
    for _ in range(draw.choice([1, 1, 2, 8, 64])):
        at = draw.randrange(len(data))
        kind = draw.randrange(4)
        if kind == 0:
            data[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            data[at : at + 8] = draw.choice([b"\0", b"\xff", b"\x7f"]) * 8
        elif kind == 2:
            data[at : at + draw.randint(1, 64)] = b""
        else:
            data[at:at] = data[at : at + draw.randint(1, 64)]
        if not data:
            break
    return bytes(data)


class Contract:
    """Calls that read what may be damaged, each held to the contract.

    Args:
        errors: The only ones that a call may raise.

    Attributes:
        outcomes: How many calls succeeded, and how many were refused by which error.
    """

    def __init__(self, errors: tuple[type[Exception], ...]) -> None:
        self.errors = errors
        self.outcomes: dict[str, int] = {}
        self._peak = peak_megabytes()

    def call(self, read: Callable[[], Result]) -> Result | None:
        """Call it; any other exception, slowness or greed is an error."""
        start, result = time.process_time(), None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of classes that are not Keras's
                result = read()
            outcome = "loaded"
        except self.errors as error:
            outcome = type(error).__name__
        assert time.process_time() - start < SECONDS
        assert peak_megabytes() - self._peak < MEGABYTES
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        return result


class Loader(Contract):
    """Loads archives that may be damaged."""

    def __init__(self) -> None:
        super().__init__((sf.ArchiveError, sf.UnsupportedModelError))

    def load(self, path: Path) -> None:
        """Load one."""
        self.call(lambda: sf.load(path))


def peak_megabytes() -> float:
    """Return the most memory that this process has held, on Linux without that of its parent."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024

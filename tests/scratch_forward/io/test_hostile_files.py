"""Files made to take time or memory: by the two errors or a model, in 2 s and 200 MB."""

import contextlib
import io
import json
import time
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
import pytest

import scratch_forward as sf
from tests.support import archives, damage

DENSE = {"units": 2, "name": "d"}


def archive(config: Any, weights: bytes | None = None) -> bytes:
    """Return an archive of a configuration, given as JSON or as what it says."""
    text = config if isinstance(config, str | bytes) else json.dumps(config)
    members = {"config.json": text, "model.weights.h5": weights or archives.dense_weights()}
    return archives.packed(members, compression=8)


def hdf5(config: Any, change: Callable[[h5py.File], None] | None = None) -> bytes:
    """Return a whole model in HDF5."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "2.15.0"
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = ["d"]
        layer = group.create_group("d")
        layer.attrs["weight_names"] = ["k", "b"]
        layer["k"], layer["b"] = archives.KERNEL, archives.BIAS
        if change:
            change(file)
    return buffer.getvalue()


def calls(*sources: tuple[str, int]) -> list[dict[str, Any]]:
    """Describe calls, each on one call of a layer."""
    return [{"args": [_tensor(*source)], "kwargs": {}} for source in sources]


def _tensor(layer: str, call: int) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [layer, call, 0]}}


def graph(*layers: dict[str, Any], last: tuple[str, int]) -> dict[str, Any]:
    """Describe a graph on an input `x` of two numbers."""
    first = archives.entry("InputLayer", {"name": "x", "batch_shape": [None, 2]})
    config = {
        "name": "graph",
        "layers": [first | {"name": "x", "inbound_nodes": []}, *layers],
        "input_layers": [["x", 0, 0]],
        "output_layers": [[*last, 0]],
    }
    return {"module": "keras", "class_name": "Functional", "config": config}


def layer(class_name: str, name: str, *sources: tuple[str, int], **options: Any) -> dict[str, Any]:
    """Describe a layer in a graph."""
    entry = archives.entry(class_name, {"name": name, **options})
    return entry | {"name": name, "inbound_nodes": calls(*sources)}


# Structure that repeats


def _again(entry: dict[str, Any]) -> dict[str, Any]:
    """Refer to a shared layer that stands before."""
    return {**entry, "config": {"name": entry["config"]["name"]}}


def _row(name: str, identity: int, *layers: dict[str, Any]) -> dict[str, Any]:
    row = archives.sequential(*layers)
    row["config"]["name"] = name
    return row | {"shared_object_id": identity}


def rows_in_rows() -> bytes:
    """Sequential models, each of which holds the one before twice: 2 to the 300 layers."""
    rows = [_row("s0", 0, archives.entry("ReLU", {"name": "r"}))]
    for index in range(300):
        before = _again(rows[-1])
        inside = _row(f"w{index}", 1000 + index, before)
        rows.append(_row(f"s{index + 1}", index + 1, before, inside))
    return archive(archives.sequential(*rows))


def graphs_that_call_twice() -> bytes:
    """Graphs, each of which calls the one before twice."""
    graphs = [graph(layer("ReLU", "r", ("x", 0)), last=("r", 0))]
    graphs[0] |= {"shared_object_id": 0, "name": "graph"}
    for index in range(300):
        before = _again(graphs[-1]) | {"inbound_nodes": calls(("x", 0), ("graph", 0))}
        made = graph(before, last=("graph", 2))
        graphs.append(made | {"shared_object_id": index + 1, "name": "graph"})
    called = graphs[-1] | {"inbound_nodes": calls(("x", 0))}
    return archive(graph(*graphs[:-1], called, last=("graph", 1)))


def calls_in_reverse() -> bytes:
    """A layer called 30,000 times, each call on the one that comes after it in the file."""
    count = 30_000
    sources = [("r", index + 1) for index in range(count - 1)] + [("x", 0)]
    return archive(graph(layer("ReLU", "r", *sources), last=("r", 0)))


def layers_in_reverse() -> bytes:
    """Layers that stand in the file before what they are called on."""
    names = [f"r{index}" for index in range(1_900)]
    before = [*names[1:], "x"]
    layers = [layer("ReLU", n, (b, 0)) for n, b in zip(names, before, strict=True)]
    return archive(graph(*layers, last=("r0", 0)))


def shared_layers_that_look_alike() -> bytes:
    """Many layers of one name, and as many that share one of them."""
    plain = [archives.entry("Dense", DENSE) for _ in range(950)]
    shared = [archives.entry("Dense", DENSE) | {"shared_object_id": i} for i in range(950)]
    return archive(archives.sequential(*plain, *shared))


# Text


def quotes() -> bytes:
    return archive("[" + '"' + '\\"' * 200_000)


def quotes_and_escapes() -> bytes:
    return archive('{"a": "' + '\\"\\' * 130_000)


def small_lists() -> bytes:
    return archive("[" + "[]," * 2_700_000 + "[]]")


def initializers() -> bytes:
    """A configuration that is nothing but initializers that do not end."""
    return archive('{"a": [' + '{"kernel_initializer": {' * 60_000)


def initializer_of_lists() -> bytes:
    return archive('{"kernel_initializer": {"a": [' + "[]," * 15_000_000 + "[]]}}")


def deep_lists() -> bytes:
    return archive("[" * 5_000_000)


def long_number() -> bytes:
    return archive('{"a": ' + "9" * 4_000_000 + "}")


# Sizes


def huge_layer(size: int) -> bytes:
    """A Dense layer whose kernel has no data in the file."""
    config = archives.sequential(
        archives.entry("Dense", {"units": size, "name": "d", "use_bias": False}),
        shape=(None, size),
    )
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_dataset("layers/dense/vars/0", (size, size), "f4")
    return archive(config, buffer.getvalue())


def huge_operation(name: str, **options: Any) -> bytes:
    return archive(archives.operation(name, **options))


def products_of_all_with_all() -> bytes:
    """Operations whose results grow, each a product of all of the one before with all of it."""
    steps: list[dict[str, Any]] = []
    before = "x"
    for index in range(6):
        for name, axis in (("a", -1), ("b", 1)):
            steps.append(layer("ExpandDims", f"{name}{index}", (before, 0), axis=axis))
        sides = [_tensor(f"{name}{index}", 0) for name in "ab"]
        product = layer("Multiply", f"m{index}")
        steps.append(product | {"inbound_nodes": [{"args": sides, "kwargs": {}}]})
        before = f"m{index}"
    steps = [step | {"module": "keras.src.ops.numpy"} for step in steps]
    config = graph(*steps, last=(before, 0))
    config["config"]["layers"][0]["config"]["batch_shape"] = [None, 1000]
    return archive(config)


def unallocated() -> bytes:
    """Weights in HDF5 whose shape is large and whose data is not there."""

    def change(file: h5py.File) -> None:
        group = file["model_weights/d"]
        del group["k"]
        group.create_dataset("k", (9_000, 9_000), "f4", fillvalue=1)

    config = archives.sequential(
        archives.entry("Dense", {"units": 9_000, "name": "d"}), shape=(None, 9_000)
    )
    return hdf5(config, change)


def names_without_end() -> bytes:
    def change(file: h5py.File) -> None:
        group = file["model_weights"]
        del group.attrs["layer_names"]
        for index in range(40):
            group.attrs[f"layer_names{index}"] = np.full(3_000, b"d")

    return hdf5(archives.dense_config(), change)


def tables_in_a_graph() -> bytes:
    table = {"class_name": "__numpy__", "config": {"value": [[0] * 1000] * 1000, "dtype": "int8"}}
    step = archives.entry("Add", {"name": "y"}, module="keras.src.ops.numpy")
    config = archives.functional(step, archives.TENSOR)
    config["config"]["layers"][1]["inbound_nodes"][0]["args"].append(table)
    return archive(config)


def text_vectorization(**options: Any) -> bytes:
    config = {"name": "t", "vocabulary": ["a", "b"], **options}
    layer = archives.entry("TextVectorization", config)
    return archive(archives.sequential(layer, shape=(None,)))


ATTACKS: dict[str, Callable[[], bytes]] = {
    **{make.__name__: make for make in (rows_in_rows, graphs_that_call_twice, calls_in_reverse)},
    **{make.__name__: make for make in (layers_in_reverse, shared_layers_that_look_alike)},
    **{make.__name__: make for make in (quotes, quotes_and_escapes, small_lists, initializers)},
    **{make.__name__: make for make in (initializer_of_lists, deep_lists, long_number)},
    **{make.__name__: make for make in (products_of_all_with_all, unallocated, names_without_end)},
    **{make.__name__: make for make in (tables_in_a_graph,)},
    "huge_layer_9000": lambda: huge_layer(9_000),
    "huge_layer_40000": lambda: huge_layer(40_000),
    "huge_layer_100000": lambda: huge_layer(100_000),
    "huge_tile": lambda: huge_operation("Tile", repeats=[1, 10**9]),
    "huge_shape": lambda: huge_operation("BroadcastTo", shape=[10**9, 10**9]),
    "long_ngrams": lambda: text_vectorization(ngrams=10**9),
    "padded_vectors": lambda: text_vectorization(
        **{"output_mode": "tf_idf", "idf_weights": [1.0, 2.0]},
        **{"max_tokens": 10**9, "pad_to_max_tokens": True},
    ),
    "huge_axis": lambda: huge_operation("ExpandDims", axis=list(range(10**6))),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_hostile_files_take_no_time_and_no_memory(name, tmp_path) -> None:
    path = tmp_path / "m.keras"
    path.write_bytes(ATTACKS[name]())
    limits = sf.Limits(expansion_ratio=1e9)
    peak, start = damage.peak_megabytes(), time.process_time()
    with contextlib.suppress(sf.ArchiveError, sf.UnsupportedModelError):
        sf.load(path, limits=limits)
    assert time.process_time() - start < damage.SECONDS
    assert damage.peak_megabytes() - peak < damage.MEGABYTES


@pytest.mark.parametrize(
    "attribute", ["model_config", "keras_version", "layer_names", "weight_names"]
)
def test_a_text_that_states_more_bytes_than_the_file_has_is_refused(attribute, tmp_path) -> None:
    """libhdf5 would allocate them first."""
    content = bytearray(hdf5(archives.sequential(archives.entry("Dense", DENSE))))
    heap = content.index(b"GCOL").to_bytes(8, "little")  # texts: length, heap, number in the heap
    first = content.index(heap, content.index(attribute.encode() + b"\0")) - 4
    content[first : first + 12] = b"\xff" * 4 + b"\0" * 8
    path = tmp_path / "m.h5"
    path.write_bytes(content)
    with pytest.raises(sf.ArchiveError, match=f"'{attribute}' states texts of 4,294,967,2"):
        sf.load(path)


def test_a_heap_of_texts_whose_objects_do_not_reach_its_end_is_refused(tmp_path) -> None:
    """The search of libhdf5 would never end."""
    content = bytearray(hdf5(archives.sequential(archives.entry("Dense", DENSE))))
    first = content.index(b"GCOL") + 16
    content[first : first + 16] = bytes(16)  # free space of no size
    path = tmp_path / "m.h5"
    path.write_bytes(content)
    with pytest.raises(sf.ArchiveError, match="heap of texts at byte"):
        sf.load(path)

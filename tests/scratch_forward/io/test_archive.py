"""Archives that are what they claim, and those that are not: one sentence each."""

import io
import json
import struct
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import scratch_forward as sf
from tests.support import archives

X = np.array([[1.0, 2.0]])
Y = [[7.5, 0.0]]


def load(path: Path, content: dict, **limits: float) -> sf.Sequential:
    """Write an archive and load it."""
    return sf.load(archives.write(path / "m.keras", content), limits=sf.Limits(**limits))


def load_weights(path: Path, content: bytes) -> sf.Sequential:
    """Load the valid archive with other weights."""
    return load(path, archives.dense_members(**{"model.weights.h5": content}))


def load_config(path: Path, config: object) -> sf.Sequential:
    """Load the valid archive with another configuration."""
    return load(path, archives.dense_members(**{"config.json": json.dumps(config)}))


# What is valid


def test_an_archive_is_read(tmp_path) -> None:
    assert load(tmp_path, archives.dense_members()).predict(X).tolist() == Y


def test_an_unzipped_archive_is_read(tmp_path) -> None:
    for name, content in archives.dense_members().items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert sf.load(tmp_path).predict(X).tolist() == Y


def test_weights_alone_are_read_into_a_model_made_by_hand(tmp_path) -> None:
    path = tmp_path / "m.weights.h5"
    path.write_bytes(archives.dense_weights())
    model = sf.Sequential([sf.Input((2,)), sf.Dense(2, "relu")])
    model.load_weights(path)
    assert model.predict(X).tolist() == Y


def test_double_precision_is_an_oracle(tmp_path) -> None:
    path = archives.write(tmp_path / "m.keras", archives.dense_members())
    outputs = sf.load(path, dtype="float64").predict(X)
    assert outputs.dtype == np.float64
    assert outputs.tolist() == Y


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_weights_of_other_floats_are_read(tmp_path, dtype) -> None:
    content = archives.dense_weights(archives.KERNEL.astype(dtype), archives.BIAS.astype(dtype))
    outputs = load_weights(tmp_path, content).predict(X)
    assert outputs.dtype == np.float32
    assert outputs.tolist() == Y


def test_bfloat16_weights_are_read(tmp_path) -> None:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for index, array in enumerate((archives.KERNEL, archives.BIAS)):
            upper = (array.view(np.uint32) >> 16).astype(np.uint16)
            dataset = file.create_dataset(f"layers/dense/vars/{index}", data=upper.view("V2"))
            dataset.attrs["dtype"] = "bfloat16"
    assert load_weights(tmp_path, buffer.getvalue()).predict(X).tolist() == Y


def test_more_than_ten_weights_are_taken_in_numeric_order(tmp_path) -> None:
    layers = [
        archives.entry("Dense", {"name": f"d{i}", "units": 2, "use_bias": False}) for i in range(12)
    ]
    paths = ["layers/dense", *(f"layers/dense_{i}" for i in range(1, 12))]
    arrays = {f"{p}/vars/0": np.eye(2) * (1 + i) for i, p in enumerate(paths)}
    members = archives.dense_members(
        **{
            "config.json": json.dumps(archives.sequential(*layers)),
            "model.weights.h5": archives.weights(arrays),
        }
    )
    found = [array[0, 0] for array in load(tmp_path, members).get_weights()]
    assert found == list(range(1, 13))


def test_text_layers_read_their_vocabulary_from_the_assets(tmp_path) -> None:
    text = archives.entry("TextVectorization", {"name": "t", "output_sequence_length": 2})
    config = archives.sequential(text, shape=(None,))
    config["config"]["layers"][0]["config"]["dtype"] = "string"
    members = archives.dense_members(
        **{
            "config.json": json.dumps(config),
            "model.weights.h5": archives.weights({"vars/x": X}),
            "assets/layers/text_vectorization/vocabulary.txt": "\n[UNK]\nyes\nno",
        }
    )
    assert load(tmp_path, members)(["No yes yes", "?"]).tolist() == [[3, 2], [0, 0]]


# Members


def test_members_that_are_not_allowed_are_named(tmp_path) -> None:
    for name in (
        "evil.py",
        "../config.json",
        "/config.json",
        "assets/../x.txt",
        "assets/x.py",
        "assets\\x.txt",
        "model.weights.npz",
    ):
        with pytest.raises(sf.ArchiveError, match="not allowed"):
            load(tmp_path, archives.dense_members(**{name: b"x"}))


def test_missing_members_are_named(tmp_path) -> None:
    for name in ("config.json", "model.weights.h5"):
        members = archives.dense_members()
        del members[name]
        with pytest.raises(sf.ArchiveError, match=name):
            load(tmp_path, members)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_comes_twice_is_refused(tmp_path) -> None:
    path = archives.write(tmp_path / "m.keras", archives.dense_members())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(sf.ArchiveError, match="twice"):
        sf.load(path)


def test_an_encrypted_member_is_refused(tmp_path) -> None:
    path = archives.write(tmp_path / "m.keras", archives.dense_members())
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        start = content.find(signature)
        flags = struct.unpack_from("<H", content, start + offset)[0]
        struct.pack_into("<H", content, start + offset, flags | 1)
    path.write_bytes(content)
    with pytest.raises(sf.ArchiveError, match="encrypted"):
        sf.load(path)


def test_what_is_no_archive_is_refused(tmp_path) -> None:
    path = tmp_path / "m.keras"
    with pytest.raises(sf.ArchiveError, match="no file"):
        sf.load(path)
    for content in (b"", b"PK\3\4 garbage", b"x" * 100):
        path.write_bytes(content)
        with pytest.raises(sf.ArchiveError, match="not a readable"):
            sf.load(path)
    whole = archives.write(path, archives.dense_members()).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(sf.ArchiveError, match="not a readable"):
        sf.load(path)


# Limits


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path) -> None:
    path = tmp_path / "m.keras"
    bomb = archives.dense_members(**{"assets/x.txt": b"0" * 20_000_000})
    archives.write(path, bomb, zipfile.ZIP_DEFLATED)
    with pytest.raises(sf.ArchiveError, match="times its size"):
        sf.load(path)


@pytest.mark.parametrize(
    "limit",
    [
        "archive_bytes",
        "members",
        "member_bytes",
        "config_bytes",
        "config_depth",
        "layers",
        "parameters",
    ],
)
def test_every_limit_is_kept_and_named(tmp_path, limit) -> None:
    with pytest.raises(sf.ArchiveError, match=rf"limit .*Limits\({limit}="):
        load(tmp_path, archives.dense_members(), **{limit: 1})


def test_the_limit_on_text_files_is_kept(tmp_path) -> None:
    text = archives.entry("TextVectorization", {"name": "t"})
    members = archives.dense_members(
        **{
            "config.json": json.dumps(archives.sequential(text, shape=(None,))),
            "assets/layers/text_vectorization/vocabulary.txt": "a\nb",
        }
    )
    with pytest.raises(sf.ArchiveError, match="limit"):
        load(tmp_path, members, asset_bytes=2)


@pytest.mark.parametrize("units", [10**15, 2**62])  # 2 * 2**62 is negative in 64 bits
def test_a_model_that_is_huge_by_its_configuration_is_not_allocated(tmp_path, units) -> None:
    with pytest.raises(sf.ArchiveError, match="weights; the limit"):
        load_config(tmp_path, archives.dense_config(units=units))


def test_an_operation_on_a_huge_input_is_not_tried_out(tmp_path) -> None:
    model = load_config(tmp_path, archives.operation("Negative", shape=(None, 10**5, 10**5)))
    assert model.output_shape == (None, 10**5, 10**5)


# Configuration


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1, 2",
        "[]",
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": 1, "a": 2}',
        "\x00",
        "[" * 100_000,
        '{"a": ' + "9" * 5000 + "}",
        '"\\ud800',
    ],
)
def test_a_configuration_that_is_not_plain_json_is_refused(tmp_path, text) -> None:
    with pytest.raises(sf.ArchiveError, match=r"config\.json"):
        load(tmp_path, archives.dense_members(**{"config.json": text}))


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"class_name": "Sequential"},
        {"class_name": "Sequential", "module": "keras", "config": 3},
        {"class_name": "Sequential", "module": "keras", "config": {"layers": 3}},
        {"class_name": "Sequential", "module": "keras", "config": {"layers": []}},
        {"class_name": ["Sequential"], "module": "keras", "config": {}},
        archives.sequential(archives.entry("Dense", {"name": "dense"})),
        archives.sequential(archives.entry("LSTM", {"name": "dense", "units": 2})),
        archives.entry("Dense", {"units": 2}),
        archives.operation("ExpandDims", axis=10**30),
        archives.functional(archives.entry("PReLU", {}), [archives.TENSOR, archives.TENSOR]),
        {
            "class_name": "Functional",
            "module": "keras",
            "config": {"layers": [], "input_layers": [["a", 0, 0]], "output_layers": []},
        },
    ],
)
def test_a_configuration_that_contradicts_itself_is_refused(tmp_path, config) -> None:
    with pytest.raises(sf.ArchiveError):
        load_config(tmp_path, config)


@pytest.mark.parametrize(
    "activation", [{"class_name": []}, {"class_name": "function", "config": []}]
)
def test_activations_without_a_name_are_refused(tmp_path, activation) -> None:
    with pytest.raises(sf.UnsupportedModelError, match="activation="):
        load_config(tmp_path, archives.dense_config(activation=activation))


def test_everything_that_is_not_supported_is_listed_at_once(tmp_path) -> None:
    config = archives.sequential(
        archives.entry(
            "Dense", {"name": "a", "units": 2, "activation": "reluu", "rank": 4, "use_bias": 3}
        ),
        archives.entry("Conv9D", {"name": "b"}),
        archives.entry("Lambda", {"name": "c", "function": "evil"}),
        archives.entry("Mine", {"name": "d"}, module="mine.layers"),
        archives.entry(
            "Bidirectional",
            {
                "name": "e",
                "merge_mode": "max",
                "layer": archives.entry(
                    "LSTM", {"name": "f", "units": 2, "dtype": {"config": {"name": "int8"}}}
                ),
            },
        ),
    )
    with pytest.raises(sf.UnsupportedModelError) as raised:
        load_config(tmp_path, config)
    found = {(item.layer, item.option, item.value) for item in raised.value.items}
    assert found == {
        ("sequential/a", "activation", "reluu"),
        ("sequential/a", "rank", 4),
        ("sequential/a", "use_bias", 3),
        ("sequential/b", "class_name", "Conv9D"),
        ("sequential/c", "class_name", "Lambda"),
        ("sequential/d", "class_name", "mine.layers.Mine"),
        ("sequential/e", "merge_mode", "max"),
        ("sequential/e/f", "dtype", "int8"),
    }
    nearest = {item.value: item.nearest for item in raised.value.items}
    assert "docs/coverage.md" in nearest["Conv9D"]
    assert "custom_objects={'Mine': ...}" in nearest["mine.layers.Mine"]


@pytest.mark.parametrize("module", ["os", "builtins", "keras_evil.layers", None, 3])
def test_classes_of_other_modules_are_not_looked_up(tmp_path, module) -> None:
    layer = archives.entry("Dense", {"name": "dense", "units": 2}, module=module)
    with pytest.raises(sf.UnsupportedModelError):
        load_config(tmp_path, archives.sequential(layer))


# Weights


def test_weights_that_contradict_the_configuration_are_refused(tmp_path) -> None:
    for content in (
        archives.dense_weights(kernel=np.zeros((2, 3))),
        archives.dense_weights(bias=np.zeros((2, 1))),
        archives.weights({"layers/dense/vars/0": archives.KERNEL}),
        archives.weights({f"layers/dense/vars/{i}": archives.KERNEL for i in range(3)}),
        archives.dense_weights(prefix="layers/dense_1"),
        archives.weights({"layers/dense/vars/0/x": X, "layers/dense/vars/1": archives.BIAS}),
        archives.dense_weights(kernel=np.array([[b"a", b"b"], [b"c", b"d"]])),
        b"",
        b"\x89HDF\r\n\x1a\n" + b"\0" * 600,
    ):
        with pytest.raises(sf.ArchiveError):
            load_weights(tmp_path, content)


def test_a_weight_too_many_is_refused(tmp_path) -> None:
    arrays = [archives.KERNEL, archives.BIAS, archives.BIAS]
    content = archives.weights({f"layers/dense/vars/{i}": a for i, a in enumerate(arrays)})
    with pytest.raises(sf.ArchiveError, match="holds 3 weights; the model has 2"):
        load_weights(tmp_path, content)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_numbers_are_refused(tmp_path, value) -> None:
    kernel = archives.KERNEL.copy()
    kernel[1, 0] = value
    with pytest.raises(sf.ArchiveError, match="NaN or infinity"):
        load_weights(tmp_path, archives.dense_weights(kernel))


def _attacked(attack) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["layers/dense/vars/1"] = archives.BIAS
        attack(file)
    return buffer.getvalue()


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(shape=(2, 2), dtype="f4")
    layout[:] = h5py.VirtualSource("/etc/other.h5", "x", shape=(2, 2))
    file.create_virtual_dataset("layers/dense/vars/0", layout)


ATTACKS = {
    "external link": lambda f: f.__setitem__(
        "layers/dense/vars/0", h5py.ExternalLink("/etc/other.h5", "x")
    ),
    "soft link": lambda f: f.__setitem__(
        "layers/dense/vars/0", h5py.SoftLink("/layers/dense/vars/1")
    ),
    "virtual": _virtual,
    "external storage": lambda f: f.create_dataset(
        "layers/dense/vars/0", (2, 2), "f4", external=[("/etc/passwd", 0, 16)]
    ),
    "compressed": lambda f: f.create_dataset(
        "layers/dense/vars/0", data=np.zeros((2, 2), "f4"), chunks=(2, 2), compression="gzip"
    ),
    "bomb": lambda f: f.create_dataset(
        "layers/dense/vars/0", (10**6, 10**6), "f4", chunks=(1000, 1000), compression="gzip"
    ),
    "scalar": lambda f: f.__setitem__("layers/dense/vars/0", 1.0),
    "objects": lambda f: f.create_dataset("layers/dense/vars/0", (2, 2), h5py.string_dtype()),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_attacks_through_the_weights_are_refused(tmp_path, attack) -> None:
    with pytest.raises(sf.ArchiveError, match=r"layers/dense|'0'"):
        load_weights(tmp_path, _attacked(attack))


def test_groups_reached_by_links_are_refused(tmp_path) -> None:
    def attack(file: h5py.File) -> None:
        file["elsewhere/0"] = archives.KERNEL
        file["elsewhere/1"] = archives.BIAS
        del file["layers/dense/vars"]
        file["layers/dense/vars"] = h5py.SoftLink("/elsewhere")

    with pytest.raises(sf.ArchiveError, match="link"):
        load_weights(tmp_path, _attacked(attack))


def test_a_failed_load_leaves_a_model_as_it_was(tmp_path) -> None:
    model = load(tmp_path, archives.dense_members())
    path = tmp_path / "bad.weights.h5"
    path.write_bytes(archives.dense_weights(archives.KERNEL + 1, np.zeros(3)))
    with pytest.raises(sf.ArchiveError):
        model.load_weights(path)
    assert model.predict(X).tolist() == Y

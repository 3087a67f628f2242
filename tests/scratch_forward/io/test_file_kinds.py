"""What is not a Keras file is told by its content, with what to do."""

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

import scratch_forward as sf

ONNX = b"\x08\x08\x12\x07pytorch\x1a\x051.9.0:\x10"  # ir_version, producer_name
TFLITE = b"\x1c\x00\x00\x00TFL3" + bytes(56)


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"content")
    return buffer.getvalue()


FILES = {
    "a Git LFS pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        "git lfs pull",
    ),
    "an HTML page": (b"\n<!DOCTYPE html>\n<html><head>", "an HTML page"),
    "a bare HTML page": (b"<html lang=en>", "an HTML page"),
    "TensorFlow Lite": (TFLITE, "TensorFlow Lite"),
    "ONNX": (ONNX, "an ONNX model"),
    "a pickle": (pickle.dumps({"weights": [1.0]}), "a Python pickle"),
    "NumPy": (b"\x93NUMPY\x01\x00", "a NumPy array"),
    "gzip": (b"\x1f\x8b\x08\x00", "gzip"),
    "JSON": (b'{"class_name": "Sequential"}', "without weights"),
    "a zipped SavedModel": (zipped("m/saved_model.pb"), "SavedModel"),
    "PyTorch": (zipped("archive/data.pkl"), "PyTorch"),
    "nothing": (b"", "it is empty"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_not_a_model_is_told_by_its_content(kind: str, tmp_path: Path) -> None:
    content, said = FILES[kind]
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    with pytest.raises(sf.ArchiveError, match=said):
        sf.load(path)


def test_a_saved_model_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01")
    with pytest.raises(sf.ArchiveError, match="SavedModel"):
        sf.load(tmp_path)


def test_arrays_of_weights_are_told(tmp_path: Path) -> None:
    np.savez(tmp_path / "weights.npz", kernel=np.ones(3))
    with pytest.raises(sf.ArchiveError, match="NumPy arrays"):
        sf.load(tmp_path / "weights.npz")

"""A small classifier of texts with its card, made without Keras."""

import json
from pathlib import Path

import numpy as np

import scratch_forward as sf
from scratch_forward.card import write_card
from scratch_forward.preprocessing import TextPreprocessing
from tests.support import archives

PREPROCESSING = TextPreprocessing.fit(
    ["enak sekali", "tidak enak", "biasa saja"], ("buruk", "netral", "baik"), max_length=5
)


def text_model(preprocessing: TextPreprocessing) -> dict[str, bytes | str]:
    """The archive of an embedding, a pooling and a dense layer with three outputs."""
    words = len(preprocessing.vocabulary)
    rng = np.random.default_rng(0)
    layers = [
        archives.entry("Embedding", {"input_dim": words, "output_dim": 4, "name": "e"}),
        archives.entry("GlobalAveragePooling1D", {"name": "p"}),
        archives.entry("Dense", {"units": 3, "activation": "softmax", "name": "d"}),
    ]
    arrays = {
        "layers/embedding/vars/0": rng.standard_normal((words, 4)),
        "layers/dense/vars/0": rng.standard_normal((4, 3)),
        "layers/dense/vars/1": rng.standard_normal(3),
    }
    return {
        "config.json": json.dumps(
            archives.sequential(*layers, shape=(None, preprocessing.sequence_length))
        ),
        "model.weights.h5": archives.weights({k: v.astype("f4") for k, v in arrays.items()}),
        "metadata.json": "{}",
    }


def write_classifier(folder: Path) -> Path:
    """Write `model.keras`, `preprocessing.json` and the card into a folder; returns the card."""
    path = archives.write(folder / "model.keras", text_model(PREPROCESSING))
    (folder / "preprocessing.json").write_text(PREPROCESSING.to_json(), encoding="utf-8")
    model = sf.load(path)
    return write_card(path, model, lambda inputs: model.predict(inputs[0]), {}, PREPROCESSING)

"""Lookup and hashing of categories: the inverse, what is refused, and models read from files."""

from typing import Any

import numpy as np
import pytest

import scratch_forward as sf
from scratch_forward import InvalidOption


def test_the_inverse_returns_tokens_as_keras_does() -> None:
    words = sf.StringLookup(vocabulary=["a", "É"], mask_token="", invert=True)
    assert words([[0, 1, 2], [3, 9, -1]]).tolist() == [
        [b"", b"[UNK]", b"a"],
        ["É".encode(), b"[UNK]", b"[UNK]"],
    ]
    numbers = sf.IntegerLookup(vocabulary=[12, 36], invert=True)
    assert numbers([[1, 2, 0]]).tolist() == [[12, 36, -1]]


def test_a_token_without_an_index_is_named() -> None:
    with pytest.raises(ValueError, match="no index for 'z'"):
        sf.StringLookup(vocabulary=["a"], num_oov_indices=0)(["a", "z"])


def test_several_ids_per_example_are_needed_for_a_vector() -> None:
    for layer in (
        sf.IntegerLookup(vocabulary=[1], output_mode="count"),
        sf.Hashing(3, output_mode="multi_hot"),
        sf.CategoryEncoding(3),
    ):
        with pytest.raises(ValueError, match=r"shape \(N, k\)"):
            layer(np.array([1, 2]))


@pytest.mark.parametrize(
    ("layer", "options", "named"),
    [
        ("StringLookup", {"vocabulary": "words.txt"}, "vocabulary"),
        ("StringLookup", {"vocabulary": ["a", 1]}, "vocabulary"),
        ("StringLookup", {"vocabulary": ["", "a"], "mask_token": ""}, "vocabulary"),
        ("StringLookup", {"mask_token": 3}, "mask_token"),
        ("StringLookup", {"num_oov_indices": -1}, "num_oov_indices"),
        ("StringLookup", {"sparse": True, "output_mode": "count"}, "sparse"),
        ("StringLookup", {"invert": True, "output_mode": "count"}, "output_mode"),
        ("StringLookup", {"vocabulary": ["a"], "idf_weights": [1.0]}, "idf_weights"),
        ("IntegerLookup", {"vocabulary": [1, 1]}, "vocabulary"),
        ("IntegerLookup", {"salt": 3}, "salt"),
        ("IntegerLookup", {"pad_to_max_tokens": True}, "pad_to_max_tokens"),
        ("Hashing", {"num_bins": 3, "salt": [1]}, "salt"),
        ("Hashing", {"num_bins": 3, "dtype": "float32"}, "dtype"),
        ("HashedCrossing", {"num_bins": 3, "output_mode": "count"}, "output_mode"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(layer: str, options: Any, named: str) -> None:
    with pytest.raises(InvalidOption, match=f"`{named}`"):
        getattr(sf, layer)(**options)


def test_a_model_of_categories_reads_its_vocabularies_and_frequencies(tmp_path) -> None:
    keras = pytest.importorskip("keras")
    kl = keras.layers
    words, numbers, text = np.array([["a", "b"], ["b", "c"]]), np.array([[7], [-2]]), ["B a", "b"]
    adapted = [
        kl.StringLookup(output_mode="tf_idf"),
        kl.IntegerLookup(output_mode="one_hot"),
        kl.TextVectorization(output_mode="tf_idf", ngrams=2),
    ]
    for layer, data in zip(adapted, (words, numbers, text), strict=True):
        layer.adapt(data)
    given = kl.StringLookup(vocabulary=["b", "z"], output_mode="tf_idf", idf_weights=[0.5, 0.25])
    w, n = keras.Input((2,), dtype="string"), keras.Input((1,), dtype="int64")
    t = keras.Input((), dtype="string")
    hashed = kl.Flatten()(kl.Embedding(5, 2)(kl.Hashing(5)(w)))
    encoded = [adapted[0](w), adapted[1](n), adapted[2](t), given(w), hashed]
    model = keras.Model([w, n, t], kl.Dense(3)(kl.Concatenate()(encoded)))
    model.save(tmp_path / "m.keras")
    x = [
        np.array([["a", "q"], ["b", "b"]], object),
        np.array([[7], [5]]),
        np.array(["a b", ""], object),
    ]
    expected = np.asarray(model([keras.ops.convert_to_tensor(one) for one in x]))
    for ours in (sf.load(tmp_path / "m.keras"), sf.from_keras(model)):
        np.testing.assert_allclose(ours.predict(x), expected, rtol=0, atol=1e-6)

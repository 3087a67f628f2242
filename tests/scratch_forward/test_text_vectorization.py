"""Raw text to ids, against numbers worked out by hand."""

import numpy as np
import pytest

from scratch_forward import InvalidOption, TextVectorization

VOCABULARY = ["", "[UNK]", "hello", "world", "foos"]


def test_lowers_strips_and_splits_ascii_only() -> None:
    layer = TextVectorization(vocabulary=VOCABULARY)
    assert layer.tokenize("Hello, WORLD!\tfoo's\x0bx") == ["hello", "world", "foos", "x"]
    assert layer.tokenize("ÀÉÑ AbC") == ["ÀÉÑ", "abc"]
    assert layer.tokenize("a\u00a0b c\u2003d \x1c") == ["a\u00a0b", "c\u2003d", "\x1c"]
    assert layer.tokenize(" \n!? ") == []


def test_ids_are_padded_cut_and_unknown_tokens_are_one() -> None:
    layer = TextVectorization(vocabulary=VOCABULARY, output_sequence_length=3)
    ids = layer(["hello there world", "foos", "hello hello hello hello", ""])
    assert ids.tolist() == [[2, 1, 3], [4, 0, 0], [2, 2, 2], [0, 0, 0]]
    assert ids.dtype == np.int64


def test_width_is_the_longest_text_unless_given() -> None:
    layer = TextVectorization(vocabulary=VOCABULARY[2:])
    assert layer(np.array([["hello"], ["world world"]])).tolist() == [[2, 0], [3, 3]]


def test_bytes_and_characters() -> None:
    layer = TextVectorization(vocabulary=["h", "i"], split="character")
    assert layer([b"Hi!"]).tolist() == [[2, 3]]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"standardize": "upper"}, "standardize"),
        ({"split": "words"}, "split"),
        ({"output_mode": "one_hot"}, "output_mode"),
        ({"output_mode": "words"}, "output_mode"),
        ({"ngrams": 0}, "ngrams"),
        ({"ragged": True}, "ragged"),
        ({"vocabulary": ["a", "b", "a"]}, "vocabulary"),
        ({"vocabulary": ["a", "b"], "max_tokens": 3}, "vocabulary"),
        ({"output_sequence_length": 0}, "output_sequence_length"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(options: dict, named: str) -> None:
    with pytest.raises(InvalidOption, match=f"`{named}`"):
        TextVectorization(**options)


def test_no_vocabulary_is_said() -> None:
    with pytest.raises(ValueError, match="no vocabulary"):
        TextVectorization()(["a"])


def test_equals_keras_on_ascii_and_other_text() -> None:
    keras = pytest.importorskip("keras")
    texts = [
        "Hello, World! it's a-b c_d",
        "ÀÉÑ AbC ñ",
        "a\x0bb\x1cc\td\ne\rf\x0cg",
        "",
        "x\u00a0y z\u2003w",
        "!!!",
        "Hello ¿que? “quoted”",
        "İstanbul K\u212a",
        "a b " * 30,
    ]
    for standardize in ("lower_and_strip_punctuation", "lower", "strip_punctuation", None):
        for split in ("whitespace", "character"):
            for length in (None, 3, 40):
                options = {
                    "standardize": standardize,
                    "split": split,
                    "output_sequence_length": length,
                }
                theirs = keras.layers.TextVectorization(**options)
                theirs.adapt(texts[:6])
                ours = TextVectorization(vocabulary=theirs.get_vocabulary(), **options)
                np.testing.assert_array_equal(ours(texts), theirs(texts).numpy())
                assert ours.get_vocabulary() == theirs.get_vocabulary()

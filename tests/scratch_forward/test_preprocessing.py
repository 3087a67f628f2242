import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scratch_forward.errors import PreprocessingError
from scratch_forward.preprocessing import ImagePreprocessing, TextPreprocessing, from_json

TEXTS = ["Enak, enak sekali!", "Tidak enak.", "Mahal; tidak sekali-kali lagi"]
CLASSES = ("buruk", "baik")


def test_vocabulary_by_frequency_then_alphabet():
    fitted = TextPreprocessing.fit(TEXTS, CLASSES)
    assert fitted.vocabulary == (
        "",
        "[UNK]",
        "enak",
        "tidak",
        "lagi",
        "mahal",
        "sekali",
        "sekalikali",
    )
    assert fitted.sequence_length == 4


def test_vocabulary_size_counts_the_reserved_entries():
    fitted = TextPreprocessing.fit(TEXTS, CLASSES, vocabulary_size=4)
    assert fitted.vocabulary == ("", "[UNK]", "enak", "tidak")
    assert fitted.encode(TEXTS).tolist() == [[2, 2, 1, 0], [3, 2, 0, 0], [1, 3, 1, 1]]


def test_padding_before_and_truncation_at_the_end():
    fitted = TextPreprocessing.fit(TEXTS, CLASSES, vocabulary_size=4, max_length=3, padding="pre")
    encoded = fitted.encode(TEXTS)
    assert encoded.tolist() == [[2, 2, 1], [0, 3, 2], [1, 3, 1]]
    assert encoded.dtype == np.int32


def test_texts_without_words_are_all_padding():
    fitted = TextPreprocessing.fit(["?!"], CLASSES)
    assert fitted.encode(["!!!", ""]).tolist() == [[0], [0]]
    assert fitted.encode([]).shape == (0, 1)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.text(max_size=30), min_size=1, max_size=8),
    st.sampled_from(["pre", "post"]),
    st.none() | st.integers(3, 12),
    st.none() | st.integers(1, 6),
)
def test_stored_preprocessing_encodes_alike(texts, padding, vocabulary_size, max_length):
    fitted = TextPreprocessing.fit(
        texts, CLASSES, vocabulary_size=vocabulary_size, max_length=max_length, padding=padding
    )
    restored = from_json(fitted.to_json())
    assert restored == fitted
    assert (restored.encode(texts) == fitted.encode(texts)).all()


def test_encodes_as_keras_text_vectorization():
    keras = pytest.importorskip("keras")
    texts = [*TEXTS, "Harganya  MAHAL…\tÉnak's 50% (banget)", "kata-baru tidak dikenal"]
    fitted = TextPreprocessing.fit(TEXTS, CLASSES, max_length=5)
    layer = keras.layers.TextVectorization(
        output_sequence_length=5, vocabulary=list(fitted.vocabulary[2:])
    )
    np.testing.assert_array_equal(fitted.encode(texts), np.asarray(layer(texts)))


def test_images_are_scaled_to_one():
    preprocessing = ImagePreprocessing((1, 3, 1), 1 / 255, CLASSES)
    scaled = preprocessing.encode(np.array([0, 51, 255], np.uint8).reshape(1, 1, 3, 1))
    np.testing.assert_allclose(scaled.ravel(), [0, 0.2, 1], rtol=1e-7)
    assert scaled.max() == 1
    assert scaled.dtype == np.float32
    assert from_json(preprocessing.to_json()) == preprocessing


@pytest.mark.parametrize(
    "images", [np.zeros((2, 3, 1), np.uint8), np.zeros((2, 1, 3, 1), np.float32)]
)
def test_other_images_are_refused(images):
    with pytest.raises(PreprocessingError, match=r"expected uint8 of shape \(N, 1, 3, 1\)"):
        ImagePreprocessing((1, 3, 1), 1 / 255, CLASSES).encode(images)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not JSON"),
        ("[]", "JSON object"),
        ('{"kind": "sound"}', "or inputs, got 'sound'"),
        ('{"kind": "text", "classes": []}', "lacks vocabulary, sequence_length, padding"),
        ('{"kind": "image", "classes": []}', "lacks input_shape, scale"),
    ],
)
def test_what_is_no_stored_preprocessing_is_refused(text, told):
    with pytest.raises(PreprocessingError, match=told):
        from_json(text)


def test_reserved_entries_are_required():
    stored = json.loads(TextPreprocessing.fit(TEXTS, CLASSES).to_json())
    stored["vocabulary"] = stored["vocabulary"][2:]
    with pytest.raises(PreprocessingError, match="begins with"):
        from_json(json.dumps(stored))


def test_kinds_are_not_mixed_up():
    with pytest.raises(PreprocessingError, match="Expected a preprocessing of image, got 'text'"):
        ImagePreprocessing.from_json(TextPreprocessing.fit(TEXTS, CLASSES).to_json())

"""Tables, arrays and several inputs: converted alike before and after they are stored."""

import json

import numpy as np
import pytest

from scratch_forward.card import raw_probes
from scratch_forward.errors import PreprocessingError
from scratch_forward.preprocessing import (
    ArrayPreprocessing,
    ImagePreprocessing,
    InputsPreprocessing,
    TablePreprocessing,
    TextPreprocessing,
    from_json,
)

CLASSES = ("no", "yes")
TABLE = TablePreprocessing(("year", "size"), (2000.0, 1.5), (10.0, 0.5), CLASSES)
SERIES = ArrayPreprocessing((4, 2), "float32", (1.0, 2.0), (2.0, 4.0), CLASSES)
IDS = ArrayPreprocessing((3,), "int32", (), (), CLASSES)
IMAGE = ImagePreprocessing((2, 2, 1), 1 / 255, CLASSES)
TEXT = TextPreprocessing.fit(["good food"], CLASSES)
SEVERAL = InputsPreprocessing({"row": TABLE, "text": TEXT, "image": IMAGE}, CLASSES)
ALL = [TABLE, SERIES, IDS, IMAGE, SEVERAL]


@pytest.mark.parametrize("preprocessing", ALL, ids=lambda one: one.kind)
def test_a_stored_preprocessing_encodes_alike(preprocessing):
    restored = from_json(preprocessing.to_json())
    assert restored == preprocessing
    raw = raw_probes(preprocessing)
    np.testing.assert_equal(restored.encode(raw), preprocessing.encode(raw))


def test_columns_are_standardized_in_float64():
    encoded = TABLE.encode([[2010, 1], [16_777_217, 2]])
    assert encoded.dtype == np.float32
    np.testing.assert_array_equal(encoded, np.float32([[1, -1], [1_677_521.7, 1]]))


def test_arrays_are_standardized_along_the_last_axis():
    encoded = SERIES.encode(np.ones((5, 4, 2), np.float16))
    assert (encoded.dtype, encoded.shape) == (np.float32, (5, 4, 2))
    np.testing.assert_array_equal(encoded[0, 0], [0, -0.25])


def test_whole_numbers_stay_whole():
    encoded = IDS.encode(np.array([[1, 2, 2**31 - 1]], np.uint64))
    assert encoded.dtype == np.int32
    assert encoded.tolist() == [[1, 2, 2**31 - 1]]


def test_grey_images_may_lack_the_channel():
    pixels = np.full((3, 2, 2), 255, np.uint8)
    np.testing.assert_array_equal(IMAGE.encode(pixels), np.ones((3, 2, 2, 1)))


def test_several_inputs_are_encoded_by_name():
    encoded = SEVERAL.encode(raw_probes(SEVERAL))
    assert {name: one.dtype.name for name, one in encoded.items()} == {
        "row": "float32",
        "text": "int32",
        "image": "float32",
    }


@pytest.mark.parametrize(
    ("preprocessing", "raw", "sentence"),
    [
        (TABLE, [[1, 2], [1, np.nan]], "Example 1, column `size` is nan: expected a finite"),
        (TABLE, [[1e300, 1]], "Example 0, column `year` is inf: expected a finite"),
        (TABLE, [[1, 2, 3]], r"The input is int64 of shape \(1, 3\): expected .*\(N, 2\)"),
        (TABLE, [["a", "b"]], "The input is <U1 of shape"),
        (TABLE, [[1], [1, 2]], "The input is not an array"),
        (IDS, np.zeros((1, 3)), "The input is float64: expected whole numbers."),
        (IDS, np.array([[0, 0, 0], [0, 2**31, 0]]), "Example 1 has the number 2147483648"),
        (SEVERAL, np.zeros(3), "takes the inputs row, text, image, got ndarray."),
        (SEVERAL, {"row": 1}, "takes the inputs row, text, image, got row."),
        (SEVERAL, {"row": [[0]], "text": [""], "image": 0}, "Input `row`: The input is int64"),
        (TEXT, "one text", "expected a list of strings"),
    ],
)
def test_other_input_is_one_sentence(preprocessing, raw, sentence):
    with pytest.raises(PreprocessingError, match=sentence):
        preprocessing.encode(raw)


@pytest.mark.parametrize(
    ("preprocessing", "change", "sentence"),
    [
        (TABLE, {"scale": [1.0, 0.0]}, "scale is not a list of finite numbers above 0"),
        (TABLE, {"mean": [1.0]}, "mean and scale have 1 and 2 numbers"),
        (TABLE, {"columns": ["a", "a"]}, "columns holds something twice"),
        (SERIES, {"dtype": "object"}, "dtype='object' is unknown"),
        (SERIES, {"input_shape": [4, 0]}, "expected a whole number from 1"),
        (SERIES, {"input_shape": [2] * 9}, "at most 8 sizes"),
        (SEVERAL, {"inputs": []}, "not an object with one entry per input"),
        (SEVERAL, {"inputs": {"a": {"kind": "inputs"}}}, "or inputs, got 'inputs'"),
    ],
)
def test_a_damaged_file_is_one_sentence(preprocessing, change, sentence):
    stored = {**json.loads(preprocessing.to_json()), **change}
    with pytest.raises(PreprocessingError, match=sentence):
        from_json(json.dumps(stored))

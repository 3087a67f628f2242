import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipeline.data.dataset import Split

floats = arrays.arrays(np.float32, arrays.array_shapes(min_dims=2, max_dims=4, max_side=4))


def of(inputs, labels=(0, 1)):
    return Split(inputs, np.asarray(labels)).fingerprint


@given(floats)
def test_independent_of_byte_order_and_memory_layout(inputs):
    assert of(inputs.astype(">f4")) == of(inputs)
    assert of(np.asfortranarray(inputs)) == of(inputs)
    assert of(np.repeat(inputs, 2, axis=-1)[..., ::2]) == of(inputs)


@given(floats, st.data())
def test_any_changed_bit_changes_it(inputs, data):
    changed = inputs.copy()
    changed.view(np.uint32).flat[data.draw(st.integers(0, inputs.size - 1))] ^= 1
    assert of(changed) != of(inputs)


def test_covers_shape_dtype_and_labels():
    ids = np.arange(12, dtype=np.int32)
    different = {
        of(ids.reshape(3, 4)),
        of(ids.reshape(4, 3)),
        of(ids.reshape(3, 4).view(np.float32)),
        of(ids.reshape(3, 4), labels=(1, 0)),
        of(ids.reshape(3, 4), labels=np.array([0, 1], np.int32)),
    }
    assert len(different) == 5


def test_value_by_hand():
    inputs = np.array([[1, 2]], np.int32)
    by_hand = hashlib.sha256(
        b"i4(1, 2)" + b"\1\0\0\0\2\0\0\0" + b"i8(1,)" + b"\3" + bytes(7)
    ).hexdigest()
    assert of(inputs, np.array([3], np.int64)) == by_hand

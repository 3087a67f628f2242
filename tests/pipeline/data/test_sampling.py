import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.sampling import (
    held_out,
    held_out_shares,
    stratified_order,
    stratified_subset,
)
from pipeline.errors import DatasetError

labels_of_some_classes = st.lists(st.integers(0, 4), min_size=5, max_size=200).map(
    lambda labels: np.array([*range(5), *labels], np.int64)
)


@given(labels_of_some_classes)
def test_order_is_a_permutation(labels):
    assert sorted(stratified_order(labels)) == list(range(len(labels)))


@given(labels_of_some_classes, st.data())
def test_subsets_are_nested_ascending_and_stratified(labels, data):
    large = data.draw(st.integers(5, len(labels)))
    small = data.draw(st.integers(5, large))
    kept, more = (stratified_subset(labels, size, "a set") for size in (small, large))
    assert len(kept) == small
    assert set(kept) <= set(more)
    assert (np.diff(kept) > 0).all()
    counts = np.bincount(labels[kept], minlength=5)
    assert (counts > 0).all()
    assert (np.abs(counts - np.bincount(labels) * small / len(labels)) <= 5).all()


def test_shares_of_a_large_sample_are_exact():
    labels = np.repeat([0, 1, 2], [600, 300, 100])
    assert np.bincount(labels[stratified_subset(labels, 100, "a set")]).tolist() == [60, 30, 10]


@given(labels_of_some_classes)
def test_held_out_parts_are_disjoint_and_complete(labels):
    rest, first, second = held_out(labels, 5, 3)
    assert (len(first), len(second)) == (5, 3)
    assert sorted([*rest, *first, *second]) == list(range(len(labels)))


@given(labels_of_some_classes, st.integers(0, 2**32 - 1))
def test_held_out_shares_are_of_each_class_and_never_all_or_nothing(labels, seed):
    labels = np.concatenate([labels, np.repeat(np.arange(5), 2)])  # three of each at least
    parts = held_out_shares(labels, (0.1, 0.2), seed, "abcde")
    assert sorted(np.concatenate(parts)) == list(range(len(labels)))
    counts = [np.bincount(labels[part], minlength=5) for part in parts]
    total = np.bincount(labels)
    for count, share in zip(counts[1:], (0.1, 0.2), strict=True):
        assert (count == np.maximum(1, np.floor(share * total + 0.5))).all()
    assert (counts[0] > 0).all()


def test_a_class_too_small_to_share_is_named():
    labels = np.array([0] * 9 + [1] * 2)
    with pytest.raises(DatasetError, match="The class 'ya' has 2 examples: expected at least 3"):
        held_out_shares(labels, (0.1, 0.2), 0, ["tidak", "ya"])


def test_is_independent_of_the_global_seed():
    labels = np.arange(1000) % 7
    np.random.seed(1)
    before = stratified_order(labels)
    np.random.seed(2)
    assert (stratified_order(labels) == before).all()
    assert (np.diff(before[::7]) < 0).any(), "examples are shuffled"


@pytest.mark.parametrize("size", [0, 2, 11])
def test_impossible_sizes_are_refused(size):
    with pytest.raises(DatasetError, match=f"train_size={size} .* at least 3 .* at most 10"):
        stratified_subset(np.arange(10) % 3, size, "a set")

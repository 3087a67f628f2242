import numpy as np

from pipeline.training.batches import SortedBatches, TrainingBatches, stream
from tests.support.equal_weights import same_arrays

INPUTS = np.arange(20).reshape(10, 2)
LABELS = np.arange(10)


def epoch_of(batches):
    return [batches[index] for index in range(len(batches))]


def test_an_epoch_holds_every_example_once_with_its_label():
    batches = epoch_of(TrainingBatches(INPUTS, LABELS, batch_size=4, seed=0))
    labels = np.concatenate([labels for _, labels in batches])
    inputs = np.concatenate([inputs for inputs, _ in batches])
    assert [len(labels) for _, labels in batches] == [4, 4, 2]
    assert sorted(labels) == list(range(10))
    assert (inputs[:, 0] == 2 * labels).all()


def test_epochs_differ_and_can_be_taken_up_in_the_middle():
    batches = TrainingBatches(INPUTS, LABELS, batch_size=10, seed=0)
    first = batches[0][1]
    batches.start_epoch(1)
    second = batches[0][1]
    assert not np.array_equal(first, second)
    resumed = TrainingBatches(INPUTS, LABELS, batch_size=10, seed=0)
    resumed.start_epoch(1)
    assert np.array_equal(resumed[0][1], second)


def test_the_seed_decides_order_and_augmentation():
    def noise(inputs, rng):
        return inputs + rng.integers(0, 1000, inputs.shape)

    def drawn(seed):
        return TrainingBatches(INPUTS, LABELS, 10, seed, augment=noise)[0]

    assert same_arrays(drawn(3), drawn(3))
    assert not np.array_equal(drawn(3)[1], drawn(4)[1])
    assert not np.array_equal(drawn(3)[0], INPUTS[drawn(3)[1]])


def sentences(count=300, longest=40, seed=0):
    """Ids that start with the number of their row, padded at either end."""
    rng = np.random.default_rng(seed)
    ids = np.zeros((count, longest), np.int32)
    for row, words in enumerate(rng.integers(1, longest + 1, count)):
        start = rng.choice([0, longest - words])
        ids[row, start : start + words] = row + 1
    return ids, np.arange(count)


def test_trimmed_batches_hold_every_sentence_once_whole_and_little_padding():
    ids, labels = sentences()
    batches = epoch_of(TrainingBatches(ids, labels, batch_size=8, seed=0, trim=True))
    assert len(batches) == 38
    for inputs, rows in batches:
        assert ((inputs != 0).sum(axis=1) == (ids[rows] != 0).sum(axis=1)).all()
        assert (inputs.max(axis=1) == rows + 1).all()
    assert sorted(np.concatenate([rows for _, rows in batches])) == list(range(300))


def test_batches_of_like_length_still_differ_from_epoch_to_epoch_and_come_in_any_order():
    ids = (np.arange(40) < np.repeat(np.arange(1, 41), 20)[:, None]).astype(np.int32)
    batches = TrainingBatches(ids, np.arange(800), batch_size=8, seed=0, trim=True)
    first = epoch_of(batches)
    widths = [inputs.shape[1] for inputs, _ in first]
    assert np.mean(widths) < 0.65 * 40  # of 39 when shuffled throughout
    assert abs(np.corrcoef(widths, np.arange(len(widths)))[0, 1]) < 0.3
    batches.start_epoch(1)
    together = {frozenset(labels) for _, labels in first}
    assert not together & {frozenset(labels) for _, labels in epoch_of(batches)}


def test_a_batch_of_nothing_but_padding_keeps_a_step():
    inputs, _ = TrainingBatches(np.zeros((4, 9), np.int32), np.arange(4), 4, 0, trim=True)[0]
    assert inputs.shape == (4, 1)


def test_evaluation_batches_say_where_their_examples_were():
    ids, labels = sentences()
    batches = SortedBatches(ids, labels, batch_size=64)
    widths = [inputs.shape[1] for inputs, _ in epoch_of(batches)]
    assert widths == sorted(widths)
    assert (np.concatenate([rows for _, rows in epoch_of(batches)]) == batches.order).all()


def test_a_stream_leaves_the_length_of_sentences_open_and_counts_its_batches():
    batches = TrainingBatches(*sentences(), batch_size=8, seed=0, trim=True)
    streamed = list(stream(batches).as_numpy_iterator())
    assert len(stream(batches)) == len(streamed) == len(batches)
    assert same_arrays(streamed[3], batches[3])
    assert stream(batches).element_spec[0].shape.as_list() == [None, None]

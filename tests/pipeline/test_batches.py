import numpy as np

from pipeline.batches import TrainingBatches

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
    batches.on_epoch_end()
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

    assert all(map(np.array_equal, drawn(3), drawn(3)))
    assert not np.array_equal(drawn(3)[1], drawn(4)[1])
    assert not np.array_equal(drawn(3)[0], INPUTS[drawn(3)[1]])

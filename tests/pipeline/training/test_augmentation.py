import numpy as np

from pipeline.training.augmentation import augment_images, drop_words


def test_images_shift_by_at_most_an_eighth():
    image = np.zeros((200, 16, 16, 1), np.float32)
    image[:, 8, 8] = 1
    moved = augment_images(image, np.random.default_rng(0), flips=False)
    rows, columns = np.nonzero(moved[..., 0])[1:]
    assert len(rows) == 200
    assert set(rows) == set(columns) == {6, 7, 8, 9, 10}


def test_flips_mirror_about_half_of_the_images():
    image = np.zeros((400, 4, 4, 3), np.float32)  # too small to shift
    image[:, :, 0] = 1
    left = augment_images(image, np.random.default_rng(0), flips=True)[:, 0, 0, 0]
    assert 160 < left.sum() < 240
    assert np.array_equal(augment_images(image, np.random.default_rng(0), flips=False), image)


def test_words_become_unknown_and_padding_stays():
    ids = np.tile(np.array([5, 6, 7, 8, 0, 0], np.int32), (1000, 1))
    dropped = drop_words(ids, np.random.default_rng(0))
    assert dropped.dtype == np.int32
    assert (dropped[:, 4:] == 0).all()
    assert 0.08 < (dropped[:, :4] == 1).mean() < 0.12
    assert set(np.unique(dropped[:, 0])) == {1, 5}

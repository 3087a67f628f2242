import numpy as np
from sklearn.datasets import load_digits

from pipeline.data.builtin import digits


def test_split_is_stratified_and_loses_nothing():
    source = digits.read()
    parts = (source.train, source.validation, source.test)
    assert [len(part.labels) for part in parts] == [1077, 360, 360]
    for part in parts:
        shares = np.bincount(part.labels) / len(part.labels)
        np.testing.assert_allclose(shares, 0.1, atol=0.01)
    assert source.train.images.shape[1:] == (8, 8, 1)
    ours = sorted(image.tobytes() for part in parts for image in part.images)
    theirs = sorted(image.astype(np.uint8).tobytes() for image in load_digits().images)
    assert ours == theirs


def test_labels_stay_with_their_images():
    bundled = load_digits()
    of_image = {
        image.astype(np.uint8).tobytes(): label
        for image, label in zip(bundled.images, bundled.target, strict=True)
    }
    test = digits.read().test
    assert [of_image[image.tobytes()] for image in test.images] == test.labels.tolist()

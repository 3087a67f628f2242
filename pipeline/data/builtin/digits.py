"""`digits`: the 1,797 handwritten 8x8 digits of scikit-learn, with pixel values 0 to 16."""

import numpy as np

from pipeline.data.catalogue import DIGITS
from pipeline.data.examples import Examples, Source
from pipeline.data.sampling import held_out

_VALIDATION_SIZE = _TEST_SIZE = 360


def read() -> Source:
    """Load the digits in a fixed split of 1,077 / 360 / 360 examples."""
    from sklearn.datasets import load_digits  # takes a second to import

    bundled = load_digits()
    images = bundled.images.astype(np.uint8)[..., np.newaxis]
    everything = Examples(images, bundled.target.astype(np.int64))
    train, validation, test = held_out(everything.labels, _VALIDATION_SIZE, _TEST_SIZE)
    return Source(
        train=everything.take(train),
        validation=everything.take(validation),
        test=everything.take(test),
        classes=DIGITS.classes,
        origin="bundled with scikit-learn",
        scale=1 / 16,
    )

"""Losses, metrics and callbacks as a user writes them: ones that work, and ones that do not."""

WORKING = """
import keras
from my_helper import factor


def doubled(labels, outputs):
    return factor() * keras.losses.sparse_categorical_crossentropy(labels, outputs)


def certainty(labels, outputs):
    return keras.ops.max(outputs, axis=-1)


def halving():
    def halve(epoch, rate):
        return rate / 2 if epoch else rate

    return keras.callbacks.LearningRateScheduler(halve)


def wrong_shape(labels, outputs):
    return keras.ops.reshape(labels, (7,))


def nothing():
    return None
"""

HELPER = """
def factor():
    return 2.0
"""


def write_fits(folder):
    (folder / "my_fits.py").write_text(WORKING, encoding="utf-8")
    (folder / "my_helper.py").write_text(HELPER, encoding="utf-8")

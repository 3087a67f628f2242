"""Imports Keras on TensorFlow quietly: the one place that decides how it starts."""

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pipeline.models.memory import keep_freed_memory

os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user has set it to for other programs
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Hold back what C++ code writes to file descriptor 2; show it only if the block fails."""
    sys.stderr.flush()
    original = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(original, held.read())
            raise
        finally:
            os.dup2(original, 2)
            os.close(original)


@contextmanager
def _without_matplotlib() -> Iterator[None]:
    """Keras would import it, where there is one, for plots that nothing here draws: 0.7 s."""
    if "matplotlib" in sys.modules:
        yield
        return
    sys.modules["matplotlib"] = None  # type: ignore[assignment]  # how an import is made to fail
    try:
        yield
    finally:
        del sys.modules["matplotlib"]


keep_freed_memory()

# TensorFlow logs notices while it is loaded, before any level that it can be told applies.
with _quiet_stderr(), _without_matplotlib():
    import keras
    import tensorflow as tf

# Keras has read ~/.keras/keras.json and KERAS_MAX_*, which are no part of a run's identity: a model
# of channels_first, float16 or another epsilon would pass for the one that was asked for.
keras.config.set_image_data_format("channels_last")
keras.config.set_floatx("float32")
keras.config.set_epsilon(1e-7)
keras.config.set_max_epochs(None)
keras.config.set_max_steps_per_epoch(None)

# A sweep builds many models in one process; each being traced anew is no cause for a warning.
tf.get_logger().setLevel("ERROR")

# What was imported stays: a collection between two runs need not look through it again.
gc.freeze()


def use_threads(within_operation: int) -> None:
    """Spread each operation over so many threads; too late once TensorFlow has computed anything.

    A process that a launcher gives other models too keeps the number of its first one.
    """
    with suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(within_operation)
        os.environ["TF_NUM_INTRAOP_THREADS"] = str(within_operation)  # what is told of the machine


__all__ = ["keras", "tf", "use_threads"]

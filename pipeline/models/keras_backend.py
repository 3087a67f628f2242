"""Imports Keras on TensorFlow without log output; all start-up settings are here."""

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pipeline.models.memory import keep_freed_memory

os.environ["KERAS_BACKEND"] = "tensorflow"  # overrides the user's setting for other programs
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # several jobs may share a GPU


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Hold back what C++ code writes to file descriptor 2; print it only if the block fails."""
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
    """Keep Keras from importing matplotlib for plots that are never drawn: saves 0.7 s."""
    if "matplotlib" in sys.modules:
        yield
        return
    sys.modules["matplotlib"] = None  # type: ignore[assignment]  # makes an import fail
    try:
        yield
    finally:
        del sys.modules["matplotlib"]


keep_freed_memory()

# TensorFlow logs while it loads, before any log level can be set.
with _quiet_stderr(), _without_matplotlib():
    import keras
    import tensorflow as tf

# Keras has read ~/.keras/keras.json and KERAS_MAX_*, which are not part of a run's identity: a
# model with channels_first, float16 or another epsilon would pass for the requested one.
keras.config.set_image_data_format("channels_last")
keras.config.set_floatx("float32")
keras.config.set_epsilon(1e-7)
keras.config.set_max_epochs(None)
keras.config.set_max_steps_per_epoch(None)

# A sweep builds many models in one process; retracing for each is expected and needs no warning.
tf.get_logger().setLevel("ERROR")

# Imported modules are never garbage: collections between two runs need not scan them.
gc.freeze()


def use_threads(within_operation: int) -> None:
    """Set the number of threads per operation; has no effect after TensorFlow's first computation.

    A process that a launcher reuses for further models keeps the number of its first one.
    """
    with suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(within_operation)
        os.environ["TF_NUM_INTRAOP_THREADS"] = str(within_operation)  # recorded with the run


__all__ = ["keras", "tf", "use_threads"]

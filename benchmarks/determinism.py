"""python -m benchmarks.determinism: what bit-identical training costs.

The same fit with and without TensorFlow's deterministic ops, each in a process of its own (the
switch cannot be turned back), alternating. Prints seconds an epoch and their ratio.
"""

import statistics
import subprocess
import sys
import time

from pipeline.data import load
from pipeline.models.build import build_model, data_spec
from pipeline.models.keras_backend import keras, tf
from pipeline.settings.composer import composer
from pipeline.sweep.plan import plan_sweep
from pipeline.training.batches import TrainingBatches, stream

ROUNDS = 5
EPOCHS = 8
MODELS = ("lstm", "rnn", "cnn")


def main() -> None:
    """Alternate the fits and print a Markdown table of medians."""
    print("| model | free, s an epoch | deterministic | ratio |\n|---|---|---|---|")
    for model in MODELS:
        seconds: dict[str, list[float]] = {"free": [], "deterministic": []}
        for _ in range(ROUNDS):
            for mode, measured in seconds.items():
                measured.append(_in_a_process(model, mode))
        free, fixed = (statistics.median(measured) for measured in seconds.values())
        print(f"| {model} | {free:.3f} | {fixed:.3f} | {fixed / free:.2f} |", flush=True)


def _in_a_process(model: str, mode: str) -> float:
    command = [sys.executable, "-m", "benchmarks.determinism", model, mode]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def seconds_an_epoch(name: str, deterministic: bool) -> float:
    """Median time of the epochs after the first, which also compiles, on the built-in data."""
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(0)
    settings = plan_sweep([f"model={name}"], composer("train")).jobs[0].settings
    data = load(**settings.data)
    model = build_model(name, data_spec(data), settings.model.model_dump())
    model.compile("adam", "sparse_categorical_crossentropy")
    batches = TrainingBatches(data.train.inputs, data.train.labels, batch_size=32, seed=0)
    times = _Times()
    model.fit(stream(batches), epochs=EPOCHS, shuffle=False, verbose=0, callbacks=[times])
    return statistics.median(times.seconds[1:])


class _Times(keras.callbacks.Callback):
    """Collects the seconds of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.seconds.append(time.perf_counter() - self.started)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(seconds_an_epoch(sys.argv[1], sys.argv[2] == "deterministic"))
    else:
        main()

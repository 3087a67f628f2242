"""python -m benchmarks.determinism: what bit-identical training costs.

The same fit with and without TensorFlow's deterministic ops, each in a process of its own (the
switch cannot be turned back), alternating. Prints seconds an epoch and their ratio.
"""

import statistics
import subprocess
import sys
import time

ROUNDS = 5
EPOCHS = 4
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
    from pipeline import models
    from pipeline.batches import TrainingBatches
    from pipeline.datasets import load
    from pipeline.datasets.preprocessing import TextPreprocessing
    from pipeline.keras_backend import keras, tf

    if deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(0)
    data = load("digits" if name == "cnn" else "reviews", data_dir="data")
    classes = len(data.classes)
    if isinstance(data.preprocessing, TextPreprocessing):
        model = models.recurrent(
            name,
            sequence_length=data.preprocessing.sequence_length,
            vocabulary_size=len(data.preprocessing.vocabulary),
            classes=classes,
            units=64,
            layers=1,
            bidirectional=True,
            embedding_dim=128,
            mask=True,
            dropout=0.5,
            recurrent_dropout=0.0,
        )
    else:
        model = models.convolutional(
            input_shape=data.preprocessing.input_shape,
            classes=classes,
            filters=(32, 64),
            kernel_size=3,
            pooling="max",
            conv_padding="same",
            batch_norm=False,
            dense_units=128,
            dropout=0.0,
        )
    model.compile("adam", "sparse_categorical_crossentropy")
    batches = TrainingBatches(data.train.inputs, data.train.labels, batch_size=32, seed=0)
    times = []
    for _ in range(EPOCHS):
        started = time.perf_counter()
        model.fit(batches, shuffle=False, verbose=0)
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(seconds_an_epoch(sys.argv[1], sys.argv[2] == "deterministic"))
    else:
        main()

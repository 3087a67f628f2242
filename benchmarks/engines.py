"""One engine per process: no engine's threads spin, or hold memory, while another is timed.

`python -m benchmarks.engines <engine> <folder>` reads requests from standard input, one JSON object
per line, and answers each with one line.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
BATCHES = (16, 32, 64, 128, 200, 400, 1000)

Predict = Callable[[np.ndarray], Any]


def in_batches(call: Callable[[np.ndarray], np.ndarray], size: int) -> Predict:
    """Return what runs a data set through `call`, `size` examples at a time."""
    return lambda x: np.concatenate([call(x[i : i + size]) for i in range(0, len(x), size)])


def scratch_forward_engine(path: Path) -> dict[str, Predict]:
    """Ours."""
    import scratch_forward

    return {"predict": scratch_forward.load(path.with_suffix(".keras")).predict}


def onnxruntime_engine(path: Path) -> dict[str, Predict]:
    """ONNX Runtime on Keras's own export, at each batch size; threads do not spin after a call."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = CORES
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(
        path.with_suffix(".onnx"), options, providers=["CPUExecutionProvider"]
    )
    inputs = session.get_inputs()[0]
    dtype = np.float32 if inputs.type == "tensor(float)" else np.int32

    def call(x: np.ndarray) -> np.ndarray:
        return session.run(None, {inputs.name: x.astype(dtype, copy=False)})[0]

    return {f"batch {size}": in_batches(call, size) for size in BATCHES}


def keras_engine(path: Path) -> dict[str, Predict]:
    """Keras: `predict` at its default batch and with all at once, and a compiled `tf.function`."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import tensorflow as tf

    model = keras.saving.load_model(path.with_suffix(".keras"))
    compiled = tf.function(lambda x: model(x, training=False), reduce_retracing=True)

    def call(x: np.ndarray) -> np.ndarray:
        return compiled(tf.constant(x)).numpy()

    functions = {f"tf.function, batch {size}": in_batches(call, size) for size in (32, 128, 1000)}
    return functions | {
        "predict, batch 32": lambda x: model.predict(x, batch_size=32, verbose=0),
        "predict, whole": lambda x: model.predict(x, batch_size=len(x), verbose=0),
    }


ENGINES: dict[str, Callable[[Path], dict[str, Predict]]] = {
    "scratch_forward": scratch_forward_engine,
    "ONNX Runtime": onnxruntime_engine,
    "Keras": keras_engine,
}


class Engine:
    """The other end of an engine's process."""

    def __init__(self, name: str, folder: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.engines", name, str(folder)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, **request: Any) -> Any:
        """Send a request and wait for its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"The engine ended at the request {request}.")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def serve(name: str, folder: Path) -> None:
    """Answer requests: load a model, give its ways to predict, or time one of them once."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # what libraries print is no answer
    ways: dict[str, Predict] = {}
    x = np.empty(0)
    for line in sys.stdin:
        request = json.loads(line)
        answer: Any = None
        if request["do"] == "load":
            ways = ENGINES[name](folder / str(request["model"]))
            x = np.load(folder / f"{request['model']}.npy")
            answer = list(ways)
        else:
            answer = _time(ways[request["way"]], x[: request["examples"]], request["calls"])
        print(json.dumps(answer), file=answers, flush=True)


def _time(predict: Predict, x: np.ndarray, calls: int) -> float:
    """Return the milliseconds of one call, the mean of `calls`."""
    start = time.perf_counter()
    for _ in range(calls):
        predict(x)
    return (time.perf_counter() - start) / calls * 1e3


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]))

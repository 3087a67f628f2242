"""One engine per process: no engine's threads spin, or hold memory, while another is timed.

`python -m benchmarks.engines <engine> <folder>` reads requests from standard input, one JSON object
per line, and answers each with one line.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
BATCHES = (16, 32, 64, 128, 200, 400, 1000)
REQUESTS = 400  # predictions of one example, dealt to concurrent callers

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


def openvino_engine(path: Path) -> dict[str, Predict]:
    """OpenVINO on Keras's ONNX export, at each batch size; float32, where bfloat16 is its default.

    Raises:
        RuntimeError: If OpenVINO cannot run the model.
    """
    import openvino

    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": str(CORES)}
    compiled = openvino.Core().compile_model(path.with_suffix(".onnx"), "CPU", options)
    request = compiled.create_infer_request()
    dtype = compiled.input(0).get_element_type().to_dtype()

    def call(x: np.ndarray) -> np.ndarray:
        return request.infer([x.astype(dtype, copy=False)], share_inputs=True)[0]

    call(np.zeros((1, *np.load(path.with_suffix(".npy"), "r").shape[1:])))
    return {f"batch {size}": in_batches(call, size) for size in BATCHES}


def litert_engine(path: Path) -> dict[str, Predict]:
    """LiteRT, formerly TensorFlow Lite, at each batch size.

    Raises:
        FileNotFoundError: If the model could not be converted for it.
    """
    from ai_edge_litert.interpreter import Interpreter

    content = path.with_suffix(".tflite").read_bytes()
    shape = np.load(path.with_suffix(".npy"), "r").shape[1:]

    @cache
    def sized(examples: int) -> Any:
        interpreter = Interpreter(model_content=content, num_threads=CORES)
        interpreter.resize_tensor_input(0, (examples, *shape))
        interpreter.allocate_tensors()
        return interpreter

    def call(x: np.ndarray) -> np.ndarray:
        interpreter = sized(len(x))
        entry, out = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
        interpreter.set_tensor(entry["index"], x.astype(entry["dtype"], copy=False))
        interpreter.invoke()
        return interpreter.get_tensor(out["index"])

    call(np.zeros((1, *shape)))
    return {f"batch {size}": in_batches(call, size) for size in BATCHES}


ENGINES: dict[str, Callable[[Path], dict[str, Predict]]] = {
    "scratch_forward": scratch_forward_engine,
    "ONNX Runtime": onnxruntime_engine,
    "Keras": keras_engine,
    "OpenVINO": openvino_engine,
    "LiteRT": litert_engine,
}

# Engines that run where their package is installed, and only some models
OPTIONAL = {"OpenVINO": "openvino", "LiteRT": "ai_edge_litert"}


def installed() -> list[str]:
    """Return the names of the engines whose packages are installed."""
    return [name for name in ENGINES if name not in OPTIONAL or find_spec(OPTIONAL[name])]


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
        match request["do"]:
            case "load":
                ways = _load(name, folder / str(request["model"]))
                x = np.load(folder / f"{request['model']}.npy")
                answer = list(ways)
            case "time":
                examples = x[: request["examples"]]
                answer = _time(ways[request["way"]], examples, request["calls"])
            case "concurrent":
                answer = _concurrent(ways[request["way"]], x, request["threads"])
        print(json.dumps(answer), file=answers, flush=True)


def _load(name: str, path: Path) -> dict[str, Predict]:
    """Return an engine's ways to predict with a model: none if an optional engine cannot run it."""
    try:
        return ENGINES[name](path)
    except Exception:  # each engine raises its own
        if name not in OPTIONAL:
            raise
        return {}


def _time(predict: Predict, x: np.ndarray, calls: int) -> float:
    """Return the milliseconds of one call, the mean of `calls`."""
    start = time.perf_counter()
    for _ in range(calls):
        predict(x)
    return (time.perf_counter() - start) / calls * 1e3


def _concurrent(predict: Predict, x: np.ndarray, threads: int) -> float:
    """Return the predictions per second of `threads` callers, each with one example at a time."""
    share = REQUESTS // threads

    def caller(number: int) -> None:
        for index in range(number * share, (number + 1) * share):
            predict(x[index % len(x)][None])

    callers = [threading.Thread(target=caller, args=(number,)) for number in range(threads)]
    start = time.perf_counter()
    for one in callers:
        one.start()
    for one in callers:
        one.join()
    return share * threads / (time.perf_counter() - start)


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]))

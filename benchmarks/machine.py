"""What a time was measured on, and what a process costs from its start to its first prediction."""

import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import distributions, version
from pathlib import Path

FIRST_PREDICTION = {
    "scratch_forward": "import scratch_forward as s; s.load({path!r}).predict(x)",
    "Keras": "import keras; keras.saving.load_model({path!r}).predict(x, verbose=0)",
}


FORWARD = ("numpy", "tensorflow", "keras", "onnxruntime", "openvino", "ai-edge-litert")


def describe(cores: int, packages: Sequence[str] = FORWARD) -> str:
    """Name the processor, the cores used, the system and the versions that matter."""
    versions = ", ".join(
        f"{package} {version(package)}" for package in packages if _is_installed(package)
    )
    return (
        f"{_processor()}, {cores} cores; {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}; {versions}"
    )


def _is_installed(package: str) -> bool:
    return any(distributions(name=package))


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown processor"


def cold_start(engine: str, model: Path, inputs: Path, repeats: int) -> tuple[float, float]:
    """Return the median seconds, and the peak MB resident, of a process that predicts once."""
    code = f"import numpy as np; x = np.load({os.fspath(inputs)!r}, mmap_mode='r')[:1].copy(); "
    code += FIRST_PREDICTION[engine].format(path=os.fspath(model))
    code += "; from benchmarks.machine import peak_megabytes; print(peak_megabytes())"
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    seconds, peaks = [], []
    for _ in range(repeats):
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        answer, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(f"{engine} could not predict with {model}.")
        seconds.append(time.perf_counter() - start)
        peaks.append(float(answer))
    return statistics.median(seconds), statistics.median(peaks)


def peak_megabytes() -> float:
    """Return the most memory that this process has had resident.

    Linux carries `ru_maxrss` over from the process that started this one, so ask elsewhere there.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6

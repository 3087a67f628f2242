"""Time `scratch_forward` beside Keras and other engines: `python -m benchmarks.forward`.

Every round times every way of every engine once, in turn, each engine in a process of its own;
the table gives the median of the rounds, of each peer at its best batch, in
docs/benchmark-forward.md.
"""

import argparse
import math
import re
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from benchmarks import machine, studies
from benchmarks.engines import CORES, Engine, installed

COLUMNS = {
    "ours": ("scratch_forward", ""),
    "Keras": ("Keras", "predict"),
    "tf.function": ("Keras", "tf.function"),
    "ONNX Runtime": ("ONNX Runtime", ""),
    "OpenVINO": ("OpenVINO", ""),
    "LiteRT": ("LiteRT", ""),
}
PEERS = ("tf.function", "ONNX Runtime", "OpenVINO", "LiteRT")

CALLERS = (1, 8)
SERVED = 5  # rounds of concurrent callers

Times = dict[tuple[str, str], float]  # (engine, way) -> median milliseconds


def main() -> None:
    """Measure what the command line asks for and write the tables."""
    options = _options()
    names = [name for name in studies.models() if re.search(options.models, name)]
    lengths = studies.sentence_lengths(options.texts)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        studies.save(folder, names)
        for number, name in enumerate(names):
            np.save(folder / f"{number}.npy", studies.work(name, lengths))
        whole, one, served = {}, {}, {}
        with _engines(folder) as engines:
            for number, name in enumerate(names):
                whole[name], one[name] = _measure(engines, number, options.rounds)
                served[name] = _serve(engines["scratch_forward"])
                print(_row(name, whole[name], studies.bars(name)), flush=True)
        cold = {
            engine: machine.cold_start(engine, folder / "0.keras", folder / "0.npy", options.rounds)
            for engine in machine.FIRST_PREDICTION
        }
    text = _report(whole, one, served, cold, names[0], lengths, options)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text, encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forward", description=__doc__)
    parser.add_argument("--models", default="", help="only those whose name matches (regular)")
    parser.add_argument("--rounds", type=int, default=9, help="times of each, interleaved")
    parser.add_argument("--texts", type=Path, help="CSV with a column `text`: real lengths")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmark-forward.md"))
    return parser.parse_args()


@contextmanager
def _engines(folder: Path) -> Iterator[dict[str, Engine]]:
    with ExitStack() as stack:
        engines = {name: Engine(name, folder) for name in installed()}
        for engine in engines.values():
            stack.callback(engine.close)
        yield engines


def _measure(engines: dict[str, Engine], number: int, rounds: int) -> tuple[Times, Times]:
    """Return the times of the whole set and of one example."""
    ways = [
        (name, way)
        for name, engine in engines.items()
        for way in engine.ask(do="load", model=number)
    ]
    whole = _interleave(engines, ways, rounds, examples=studies.ROWS)
    return whole, _interleave(engines, ways, rounds, examples=1, calls=3)


def _interleave(
    engines: dict[str, Engine],
    ways: list[tuple[str, str]],
    rounds: int,
    examples: int,
    calls: int = 1,
) -> Times:
    times: dict[tuple[str, str], list[float]] = {key: [] for key in ways}
    for _ in range(rounds + 1):
        for name, way in ways:
            took = engines[name].ask(do="time", way=way, examples=examples, calls=calls)
            times[name, way].append(took)
    return {key: statistics.median(took[1:]) for key, took in times.items()}  # the first warms up


def _serve(engine: Engine) -> dict[int, float]:
    """Return the median predictions per second of one caller and of several at a time."""
    rates: dict[int, list[float]] = {callers: [] for callers in CALLERS}
    for _ in range(SERVED):
        for callers, found in rates.items():
            found.append(engine.ask(do="concurrent", way="predict", threads=callers))
    return {callers: statistics.median(found) for callers, found in rates.items()}


def _best(times: Times, column: str) -> float | None:
    """Return an engine's time at its best batch, or None if it cannot run the model."""
    engine, prefix = COLUMNS[column]
    found = (
        took for (name, way), took in times.items() if name == engine and way.startswith(prefix)
    )
    return min(found, default=None)


def _row(name: str, times: Times, bars: dict[str, float]) -> str:
    """Write a model's times, and each peer's by ours with the bar; bold if below it."""
    best = {column: _best(times, column) for column in COLUMNS}
    best["best peer"] = min(best[peer] or math.inf for peer in PEERS)
    cells = ["–" if best[column] is None else f"{best[column]:.2f}" for column in COLUMNS]
    for column, bar in bars.items():
        ratio = (best[column] or math.nan) / (best["ours"] or math.nan)
        mark = "" if ratio >= bar else "**"
        cells.append(f"{mark}{ratio:.2f}{mark}" + (f" ({bar:g})" if bar else ""))
    return f"| {name} | " + " | ".join(cells) + " |"


def _table(title: str, results: dict[str, Times], bars: Callable) -> list[str]:
    header = ["model", *COLUMNS, *(f"{column} / ours" for column in bars(""))]
    rows = [_row(name, times, bars(name)) for name, times in results.items()]
    rule = "|---" + "|---:" * (len(header) - 1) + "|"
    return [f"## {title}", "", "| " + " | ".join(header) + " |", rule, *rows, ""]


def _callers_table(served: dict[str, dict[int, float]]) -> list[str]:
    first, last = CALLERS
    return [
        "## Concurrent callers",
        "",
        "Predictions of one example per second, made by threads that share one model.",
        "",
        f"| model | {first} thread | {last} threads | ratio |",
        "|---|---:|---:|---:|",
        *(
            f"| {name} | {one:.0f} | {many:.0f} | {many / one:.2f} |"
            for name, (one, many) in ((n, rates.values()) for n, rates in served.items())
        ),
        "",
    ]


def _report(
    whole: dict[str, Times],
    one: dict[str, Times],
    served: dict[str, dict[int, float]],
    cold: dict[str, tuple[float, float]],
    first: str,
    lengths: np.ndarray,
    options: argparse.Namespace,
) -> str:
    source = f"those of `{options.texts.name}`" if options.texts else "drawn log-normal"
    lines = [
        "# Speed of the forward pass",
        "",
        f"Written by `python -m benchmarks.forward`. {machine.describe(CORES)}.",
        "",
        f"Milliseconds, median of {options.rounds} interleaved rounds, each engine in a process of "
        "its own and at its best batch: Keras's `predict`, a compiled `tf.function`, ONNX Runtime, "
        "and OpenVINO and LiteRT where they can run the model. The last columns divide a peer's "
        "time by ours, so above 1 is in our favour; the target is in parentheses, and bold type "
        "shows a ratio below it. "
        f"{studies.IMAGES} images of 32x32x3, {studies.SEQUENCES} sequences of {studies.STEPS} "
        f"tokens, or {studies.ROWS} rows of {studies.COLUMNS} numbers; masked models get sentences "
        f"of {lengths.mean():.0f} words on average ({source}), padded to {studies.STEPS}. "
        "[How the forward pass is computed](forward-pass.md) explains what limits the speed.",
        "",
        *_table("The whole set", whole, studies.bars),
        *_table("One example", one, studies.bars_of_one),
        *_callers_table(served),
        f"## From the start of the process to the first prediction ({first})",
        "",
        "| engine | seconds | MB resident at most |",
        "|---|---:|---:|",
        *(f"| {name} | {seconds:.2f} | {peak:.0f} |" for name, (seconds, peak) in cold.items()),
        "",
        _cold_ratios(cold),
        "",
    ]
    return "\n".join(lines)


def _cold_ratios(cold: dict[str, tuple[float, float]]) -> str:
    (seconds, peak), (keras_seconds, keras_peak) = cold["scratch_forward"], cold["Keras"]
    return (
        f"Time 1/{keras_seconds / seconds:.1f} of Keras's (bar: 1/20), "
        f"memory 1/{keras_peak / peak:.1f} (bar: 1/10)."
    )


if __name__ == "__main__":
    main()

"""Time `scratch_forward` beside Keras and ONNX Runtime: `python -m benchmarks.forward`.

Every round times every way of every engine once, in turn, each engine in a process of its own;
the table gives the median of the rounds, of each peer at its best batch, in
docs/benchmark-forward.md.
"""

import argparse
import re
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from benchmarks import machine, studies
from benchmarks.engines import CORES, ENGINES, Engine

COLUMNS = {
    "ours": ("scratch_forward", ""),
    "Keras predict": ("Keras", "predict, batch 32"),
    "Keras, all at once": ("Keras", "predict, whole"),
    "tf.function": ("Keras", "tf.function"),
    "ONNX Runtime": ("ONNX Runtime", ""),
}

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
        whole, one = {}, {}
        with _engines(folder) as engines:
            for number, name in enumerate(names):
                whole[name], one[name] = _measure(engines, number, options.rounds)
                print(_row(name, whole[name], studies.bars(name)), flush=True)
        cold = {
            engine: machine.cold_start(engine, folder / "0.keras", folder / "0.npy", options.rounds)
            for engine in machine.FIRST_PREDICTION
        }
    text = _report(whole, one, cold, names[0], lengths, options)
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
        engines = {name: Engine(name, folder) for name in ENGINES}
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
    whole = _interleave(engines, ways, rounds, examples=max(studies.IMAGES, studies.SEQUENCES))
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


def _best(times: Times, column: str) -> float:
    engine, prefix = COLUMNS[column]
    return min(
        took for (name, way), took in times.items() if name == engine and way.startswith(prefix)
    )


def _row(name: str, times: Times, bars: dict[str, float]) -> str:
    """Write a model's times, each peer's by ours, and how far that is from the bar."""
    ours = _best(times, "ours")
    cells = [f"{_best(times, column):.2f}" for column in COLUMNS]
    for column, bar in bars.items():
        ratio = _best(times, column) / ours
        reached = "yes" if ratio >= bar else f"no, {ratio / bar:.0%} of it"
        cells += [f"{ratio:.2f}", f"{bar:g}: {reached}" if bar else ""]
    return f"| {name} | " + " | ".join(cells) + " |"


def _table(title: str, results: dict[str, Times], bars: Callable) -> list[str]:
    header = ["model", *COLUMNS]
    for column in bars(""):
        header += [f"{column} / ours", "bar"]
    rows = [_row(name, times, bars(name)) for name, times in results.items()]
    rule = "|---" + "|---:" * (len(header) - 1) + "|"
    return [f"## {title}", "", "| " + " | ".join(header) + " |", rule, *rows, ""]


def _report(
    whole: dict[str, Times],
    one: dict[str, Times],
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
        "its own, `tf.function` and ONNX Runtime at their best batch; a ratio above 1 is in our "
        "favour, and the bar is the target. "
        f"{studies.IMAGES} images of 32x32x3, or {studies.SEQUENCES} sequences of "
        f"{studies.STEPS} tokens; masked models get sentences of {lengths.mean():.0f} words on "
        f"average ({source}), padded to {studies.STEPS}. "
        "[How the forward pass is computed](forward-pass.md) explains what limits the speed.",
        "",
        *_table("The whole set", whole, studies.bars),
        *_table("One example", one, studies.bars_of_one),
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

"""Command line: inspect a model file, predict from it, compare it with Keras, or convert it.

    python -m scratch_forward model.keras
    python -m scratch_forward predict model.keras inputs.npy --output outputs.npy
    python -m scratch_forward verify model.keras [--write]
    python -m scratch_forward convert old.h5 new.keras

Exit code 0: success; 1: the outputs differ from those of Keras; 2: the file or input is invalid.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from scratch_forward.errors import ArchiveError, UnsupportedModelError
from scratch_forward.io.limits import Limits
from scratch_forward.io.loading import load
from scratch_forward.io.stored_arrays import read_arrays

DONE, DIFFERS, REFUSED = 0, 1, 2
COMMANDS = ("summary", "predict", "verify", "convert")


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if given and given[0] not in COMMANDS and not given[0].startswith("-"):
        given = ["summary", *given]
    options = _parser().parse_args(given)
    run: Callable[[argparse.Namespace, Limits], int] = options.run
    try:
        return run(options, _limits(options.limit))
    except (ArchiveError, UnsupportedModelError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return REFUSED


def summary(options: argparse.Namespace, limits: Limits) -> int:
    """Print the layers of a model, or the list of what is not supported."""
    model = load(options.model, limits=limits)
    model.summary()
    print("Every layer is supported.")
    return DONE


def predict(options: argparse.Namespace, limits: Limits) -> int:
    """Predict from an .npy array, or from several arrays in an .npz file, by input name."""
    model = load(options.model, limits=limits)
    outputs = model.predict(_inputs(options.inputs))
    if isinstance(outputs, np.ndarray):
        np.save(options.output, outputs)
        described = f"{outputs.shape} {outputs.dtype}"
    else:
        named = outputs if isinstance(outputs, dict) else _numbered(outputs)
        np.savez(options.output, **named)
        described = ", ".join(f"{name} {array.shape}" for name, array in named.items())
    print(f"{options.output}: {described}")
    return DONE


def verify(options: argparse.Namespace, limits: Limits) -> int:
    """Check a model against the parity card beside it; --write makes the card with Keras."""
    from scratch_forward.card import card_path, verify_card

    model = load(options.model, limits=limits)
    if options.write:
        from scratch_forward.keras_cards import write_card_by_keras

        write_card_by_keras(options.model, model, limits)
    if not card_path(options.model).is_file():
        raise ArchiveError(
            f"There is no {card_path(options.model)}: write it by --write where Keras is installed."
        )
    try:
        verify_card(options.model, model, lambda: load(options.model, "float64", limits))
    except ArchiveError as error:
        print(error, file=sys.stderr)
        return DIFFERS
    print(f"{options.model} answers as Keras did.")
    return DONE


def convert(options: argparse.Namespace, limits: Limits) -> int:
    """Convert a model file of any format to a .keras archive for Keras 3."""
    from scratch_forward.io.conversion import convert_model

    convert_model(options.model, options.target, limits)
    print(f"{options.target} written.")
    return DONE


def _inputs(path: Path) -> Any:
    """Read one array, or several by name."""
    if path.suffix == ".npz":
        return read_arrays(path, path.name)
    return np.load(path, allow_pickle=False)


def _numbered(outputs: list[Any]) -> dict[str, Any]:
    return {f"output_{index}": array for index, array in enumerate(outputs)}


def _limits(settings: list[str]) -> Limits:
    """Return the limits, with changes from the `--limit NAME=NUMBER` options."""
    known = {name: type(value) for name, value in asdict(Limits()).items()}
    given = {}
    for setting in settings:
        name, _, number = setting.partition("=")
        if name not in known or not number:
            raise ValueError(f"Expected --limit NAME=NUMBER with one of {', '.join(known)}.")
        given[name] = known[name](number)
    return replace(Limits(), **given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m scratch_forward",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="{summary,predict,verify,convert}")
    for function in (summary, predict, verify, convert):
        command = commands.add_parser(function.__name__, help=function.__doc__)
        command.set_defaults(run=function)
        command.add_argument("model", type=Path, help="a model file of Keras 2 or 3")
        command.add_argument(
            "--limit",
            action="append",
            default=[],
            metavar="NAME=NUMBER",
            help="raise a limit on what the file may ask for, such as parameters=200000000",
        )
        if function is predict:
            command.add_argument("inputs", type=Path, help="a .npy file, or .npz by input name")
            command.add_argument("--output", type=Path, default=Path("outputs.npy"))
        if function is verify:
            command.add_argument("--write", action="store_true", help="write the card by Keras")
        if function is convert:
            command.add_argument("target", type=Path, help="the .keras file to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())

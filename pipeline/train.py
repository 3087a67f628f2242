"""python -m pipeline.train model=lstm units=32,64,128: train, track and verify a sweep."""

import os
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from hydra import version
from hydra._internal.utils import _run_hydra, get_args_parser
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from pipeline.cli.command import print_help, run_command, wants_help
from pipeline.cli.help_page import train_help
from pipeline.cli.progress import JobLines
from pipeline.job.interruption import ENDING, interrupted_by
from pipeline.settings import SettingsError, flat_parameters, parse_settings
from pipeline.settings.composer import CONF, composer, one_line
from pipeline.settings.suggest import did_you_mean
from pipeline.sweep.job_document import read_document
from pipeline.sweep.naming import run_name
from pipeline.sweep.plan import plan_sweep

_NAME = "train"
_SWEEPERS = ("pipeline", "optuna")


def train(config: DictConfig) -> str:
    """Run one job in the process that a Hydra launcher chose; return its parity tag."""
    from pipeline.sweep.launched_job import run_job

    values, own = read_document(config.sweep.document)
    settings = parse_settings(values)
    name = run_name(own, settings.sweep.varied, flat_parameters(values))
    return run_job(values, own, JobLines(settings, name))


def main() -> None:
    """Print the help page, or run a sweep."""
    if wants_help():
        words = get_args_parser().parse_known_intermixed_args()[0].overrides
        print_help(train_help(CONF, dict(line.split("=", 1) for line in words if "=" in line)))
        return
    with interrupted_by(*ENDING):  # runs are marked KILLED instead of left RUNNING
        run_command(_train)


def _train() -> None:
    arguments = _arguments()
    version.setbase("1.3")
    try:
        _run_hydra(
            arguments,
            get_args_parser(),
            task_function=train,
            config_path=str(CONF),
            config_name=_NAME,
        )
    except (HydraException, OmegaConfBaseException) as error:
        raise SettingsError(_explained(error, arguments)) from error


def _arguments() -> Namespace:
    """Parse Hydra's command line; every run is a sweep, whatever `hydra.mode` says.

    Raises:
        SettingsError: when an option is unknown or not supported.
    """
    arguments, unknown = get_args_parser().parse_known_intermixed_args()
    if faults := list(_faults(arguments, unknown)):
        raise SettingsError(faults)
    arguments.overrides = [_addition(word) for word in arguments.overrides]
    if not (arguments.cfg or arguments.info or arguments.shell_completion or arguments.hydra_help):
        arguments.run, arguments.multirun = False, True
        arguments.overrides.append("hydra.mode=MULTIRUN")
    return arguments


def _addition(word: str) -> str:
    """Let Hydra accept what the composed configuration need not have: the plan checks it."""
    if word.startswith("study="):
        return f"+{word}"
    return f"++{word}" if word.startswith("optimizer.") else word


def _faults(arguments: Namespace, unknown: Sequence[str]) -> Iterator[str]:
    for flag in unknown:
        offered = [name for action in get_args_parser()._actions for name in action.option_strings]
        yield f"`{flag}` is not an option of this command{did_you_mean(flag, offered)}."
    if arguments.config_path is not None:
        yield "--config-path would replace the files of this program; --config-dir adds your own."
    if arguments.experimental_rerun is not None:
        yield "--experimental-rerun is not supported: the same command again uses what is done."
    if arguments.config_dir is not None and not Path(arguments.config_dir).is_dir():
        yield f"--config-dir {arguments.config_dir} is not a folder."
    sweeper = _choice(arguments, "hydra/sweeper")
    if sweeper not in (None, *_SWEEPERS):
        yield f"hydra/sweeper={sweeper} must be pipeline or optuna, which plan the jobs."
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        yield f"KERAS_BACKEND={backend} is not supported: models are trained with TensorFlow."


def _choice(arguments: Namespace, group: str) -> str | None:
    """Return the command line's choice for one of Hydra's own groups."""
    chosen = [line.partition("=")[2] for line in arguments.overrides if f"{group}=" in line]
    return chosen[-1] if chosen else None


def _explained(error: Exception, arguments: Namespace) -> list[str]:
    """Return all faults found by planning the sweep; Hydra reports only the first."""
    lines: list[str] = arguments.overrides
    hydras = [line for line in lines if line.lstrip("+~").startswith(("hydra.", "hydra/"))]
    source = composer(arguments.config_name or _NAME, arguments.config_dir, hydras)
    own = [line for line in lines if line not in hydras]
    try:
        if faults := source.hydra_faults():
            return faults
        if _choice(arguments, "hydra/sweeper") == "optuna":
            from pipeline.search.search_plan import plan_space

            plan_space(own, source)
        else:
            plan_sweep(own, source)
    except SettingsError as found:
        return found.faults
    return [one_line(error)]


if __name__ == "__main__":
    main()

"""Conducts a sweep through Hydra, for the command `train` and for `pipeline.train`."""

import os
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hydra import version
from hydra._internal.hydra import Hydra
from hydra._internal.utils import _run_hydra, get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from pipeline.cli.progress import JobLines
from pipeline.errors import did_you_mean
from pipeline.settings import SettingsError, flat_parameters, parse_settings, refuse
from pipeline.settings.composer import CONF, composer, one_line, search_path
from pipeline.sweep.job_document import read_document
from pipeline.sweep.naming import run_name
from pipeline.sweep.plan import plan_sweep

if TYPE_CHECKING:
    from pipeline.sweep.conduct import ConductedSweep

_NAME = "train"
_SWEEPERS = ("pipeline", "optuna")


def run_program(words: Sequence[str]) -> "ConductedSweep | None":
    """Run the sweep that Hydra's arguments describe, or print what `--cfg` and the like ask for.

    Args:
        words: the arguments, as on the command line.

    Returns:
        The sweep; None if something was only printed.

    Raises:
        SettingsError: with one sentence per fault, before anything is trained.
        PipelineError: when data or the store cannot be used.
        SweepFailedError: at the end, when a run failed or lacks parity.
    """
    arguments = _arguments(words)
    version.setbase("1.3")
    try:
        if arguments.multirun:
            return _conducted(arguments)
        _run_hydra(
            arguments,
            get_args_parser(),
            task_function=run_launched,
            config_path=str(CONF),
            config_name=_NAME,
        )
    except (HydraException, OmegaConfBaseException) as error:
        raise SettingsError(_explained(error, arguments)) from error
    return None


def _conducted(arguments: Namespace) -> "ConductedSweep":
    """Have Hydra compose its configuration, choose sweeper and launcher, and start the sweep."""
    own = GlobalHydra.instance().hydra  # of the program that calls this
    GlobalHydra.instance().clear()
    try:
        hydra = Hydra.create_main_hydra2(_NAME, search_path(arguments.config_dir))
        sweep: ConductedSweep = hydra.multirun(
            config_name=arguments.config_name or _NAME,
            task_function=run_launched,
            overrides=arguments.overrides,
        )
        return sweep
    finally:
        GlobalHydra.instance().hydra = own


def run_launched(config: DictConfig) -> str:
    """Run one job in the process that a Hydra launcher chose; return its parity tag."""
    from pipeline.sweep.launched_job import run_job

    values, own = read_document(config.sweep.document)
    settings = parse_settings(values)
    name = run_name(own, settings.sweep.varied, flat_parameters(values))
    return run_job(values, own, JobLines(settings, name))


def _arguments(words: Sequence[str]) -> Namespace:
    """Parse Hydra's arguments; every run is a sweep, whatever `hydra.mode` says."""
    arguments, unknown = get_args_parser().parse_known_intermixed_args(list(words))
    refuse(_faults(arguments, unknown))
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

"""python -m pipeline.train -m model=lstm units=32,64,128: train, track and prove a sweep."""

import sys

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from pipeline.cli.command import (
    chosen,
    end_on_sigterm,
    first_sentence,
    overrides,
    run_command,
    wants_help,
)
from pipeline.cli.help_page import train_help
from pipeline.cli.progress import JobLines
from pipeline.settings import SettingsError, parse_settings
from pipeline.settings.composed import plain_values
from pipeline.settings.conf_folder import CONF
from pipeline.sweep.naming import run_name
from pipeline.sweep.plan import Compose, Options, plan_sweep


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="train")
def train(config: DictConfig) -> str:
    """Run one job, wherever one of Hydra's launchers has put it; gives its parity tag."""
    from pipeline.sweep.launched_job import run_job

    values = plain_values(config)
    settings = parse_settings(values)
    own = list(HydraConfig.get().overrides.task)
    lines = JobLines(settings, run_name(own, settings.sweep.varied, settings.model_name))
    return run_job(values, own, lines)


def main() -> None:
    """Answer `--help`, or conduct a sweep."""
    if wants_help():
        print(train_help(CONF, dict(line.split("=", 1) for line in overrides() if "=" in line)))
        return
    end_on_sigterm()  # runs marked KILLED, not left RUNNING
    sys.argv[1:] = [f"+{word}" if word.startswith("study=") else word for word in sys.argv[1:]]
    run_command(train, _explain)


def _explain(error: Exception) -> list[str]:
    """Hydra stops at the first fault, in its own words; planning the sweep tells all of them."""
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        options = GlobalHydra.instance().config_loader().get_group_options
        try:
            _plan(lambda groups: hydra.compose("train", groups), options)
        except SettingsError as found:
            return found.faults
    return first_sentence(error)


def _plan(compose: Compose, options: Options) -> None:
    if chosen("hydra/sweeper") != "optuna":
        plan_sweep(overrides(), compose, options)
        return
    from pipeline.search.search_plan import plan_space

    plan_space(overrides(), compose, options)


if __name__ == "__main__":
    main()

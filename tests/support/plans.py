"""Plans of sweeps and searches, for overrides as they stand on the command line."""

import os
from functools import cache

import yaml

from pipeline.search.search_plan import plan_search
from pipeline.settings.composer import CONF, composer
from pipeline.sweep.plan import plan_sweep

READ_FROM = ("MLFLOW_", "PIPELINE_")  # environment variables that the configuration refers to


def plan_of(*overrides):
    return plan_sweep(list(overrides), composer_for(overrides))


def values_of(*overrides):
    """The configuration as plain values, as a job of `plan_of` is composed, but unchecked."""
    shared = composer_for(overrides)
    return shared.compose(shared.parse(overrides)).resolved()


def composer_for(overrides):
    """One for all tests, which reads each file once (0.1 s).

    What a function adds to the files differs between tests; the names of the files do not.
    """
    common = _common(
        frozenset(item for item in os.environ.items() if item[0].startswith(READ_FROM))
    )
    if not any(":" in line for line in overrides):
        return common
    own = composer("train")
    own.get_group_options = common.get_group_options
    return own


@cache
def _common(environment):
    return composer("train")


def search_of(*overrides, **options):
    """A search; `options` are the sweeper's, the others are those of its file."""
    text = (CONF / "hydra/sweeper/optuna.yaml").read_text(encoding="utf-8")
    own = {k: v for k, v in yaml.safe_load(text).items() if k not in ("_target_", "params")}
    return plan_search(list(overrides), own | options, composer_for(overrides))

"""Plans of sweeps and searches, for overrides as they stand on the command line."""

import yaml

from pipeline.search.search_plan import plan_search
from pipeline.settings.composer import CONF, composer
from pipeline.sweep.plan import plan_sweep


def plan_of(*overrides):
    return plan_sweep(list(overrides), composer("train"))


def search_of(*overrides, **options):
    """A search; `options` are the sweeper's, the others are those of its file."""
    text = (CONF / "hydra/sweeper/optuna.yaml").read_text(encoding="utf-8")
    own = {k: v for k, v in yaml.safe_load(text).items() if k not in ("_target_", "params")}
    return plan_search(list(overrides), own | options, composer("train"))

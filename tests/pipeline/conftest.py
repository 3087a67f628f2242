import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from pipeline.configuration import CONF
from pipeline.settings import parse_settings
from pipeline.settings.composed import plain_values
from pipeline.sweep.plan import plan_sweep


@pytest.fixture
def composed():
    """Configuration values for overrides, as `python -m pipeline.train` composes them."""

    def values(*overrides):
        with initialize_config_dir(str(CONF), version_base="1.3"):
            return plain_values(compose("train", list(overrides)))

    return values


@pytest.fixture
def settings_for(composed):
    return lambda *overrides: parse_settings(composed(*overrides))


@pytest.fixture
def plan_for():
    """The plan of a sweep for overrides as they stand on the command line."""

    def plan(*overrides):
        with initialize_config_dir(str(CONF), version_base="1.3"):
            options = GlobalHydra.instance().config_loader().get_group_options
            return plan_sweep(list(overrides), lambda groups: compose("train", groups), options)

    return plan

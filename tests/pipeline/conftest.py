import shutil

import pytest
import yaml
from hydra import compose, initialize_config_dir

from pipeline.search.search_plan import plan_search
from pipeline.settings import parse_settings
from pipeline.settings.composed import plain_values
from pipeline.settings.composer import composer
from pipeline.settings.conf_folder import CONF
from pipeline.sweep.plan import plan_sweep
from pipeline.tracking.local_database import FOLDER
from pipeline.tracking.store import open_local
from tests.support.once import once


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

    return lambda *overrides: plan_sweep(list(overrides), composer("train"))


@pytest.fixture
def search_for():
    """The plan of a search for overrides as on the command line, and options of the sweeper."""
    text = (CONF / "hydra/sweeper/optuna.yaml").read_text(encoding="utf-8")
    own = {k: v for k, v in yaml.safe_load(text).items() if k not in ("_target_", "params")}

    return lambda *overrides, **options: plan_search(
        list(overrides), own | options, composer("train")
    )


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """A fresh database, made once: creating its tables takes seconds."""
    folder, _ = once(tmp_path_factory, "template", lambda folder: open_local(folder) and None)
    return folder / FOLDER / "mlflow.db"


@pytest.fixture
def store(tmp_path, template):
    (tmp_path / FOLDER).mkdir()
    shutil.copy(template, tmp_path / FOLDER)
    return open_local(tmp_path)

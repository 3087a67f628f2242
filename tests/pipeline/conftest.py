import shutil

import pytest
from hydra import compose, initialize_config_dir

from pipeline.settings import parse_settings
from pipeline.settings.composer import CONF, plain_values
from pipeline.tracking.local_database import FOLDER
from pipeline.tracking.store import open_local
from tests.support.once import once
from tests.support.plans import plan_of, search_of


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
    return plan_of


@pytest.fixture
def search_for():
    """The plan of a search for overrides as on the command line, and options of the sweeper."""
    return search_of


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

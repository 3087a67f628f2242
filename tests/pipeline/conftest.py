import sys
from functools import cache

import pytest

from pipeline.data.builtin import reviews
from pipeline.job.identity import code_versions
from pipeline.settings import parse_settings
from pipeline.settings.data_function import data_function
from pipeline.settings.model_function import model_function
from pipeline.tracking.store import open_local
from tests.support.plans import plan_of, search_of, values_of


@pytest.fixture(autouse=True)
def _forget_users_modules(tmp_path_factory):
    """Forget modules in folders of tests: another folder has others of the same name."""
    yield
    folder = str(tmp_path_factory.getbasetemp())
    for name, module in [*sys.modules.items()]:
        if str(getattr(module, "__dict__", {}).get("__file__")).startswith(folder):
            del sys.modules[name]
            for cached in (code_versions, model_function, data_function):
                cached.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def _write_reviews_once():
    """The reviews are always the same, and take 0.1 s of each test that loads them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reviews, "_unique_reviews", cache(reviews._unique_reviews))
        yield


@pytest.fixture
def composed():
    """Configuration values for overrides, as `python -m pipeline.train` composes them."""
    return values_of


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


@pytest.fixture
def store(stocked):
    return open_local(stocked)

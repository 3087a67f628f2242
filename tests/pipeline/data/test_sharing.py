import numpy as np
import pytest

from pipeline.data import load, sharing
from pipeline.settings import parse_settings
from pipeline.settings.composed import plain_values
from pipeline.settings.conf_folder import CONF


@pytest.fixture
def settings():
    import hydra

    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        return parse_settings(plain_values(hydra.compose("train", ["dataset=reviews"])))


def loaded_in_another_process(settings):
    sharing._load_once.cache_clear()
    return sharing.shared_data(**settings.data)


def test_a_sweeps_processes_share_what_the_first_decoded(settings, tmp_path):
    with sharing.sharing_data(tmp_path):
        first = loaded_in_another_process(settings)
        second = loaded_in_another_process(settings)
    alone = loaded_in_another_process(settings)
    assert isinstance(second.train.inputs, np.memmap)
    assert not isinstance(alone.train.inputs, np.memmap)
    assert first.fingerprints == second.fingerprints == alone.fingerprints


def test_without_room_for_it_each_decodes_for_itself(settings, tmp_path):
    with sharing.sharing_data(tmp_path / "not there"):
        loaded = loaded_in_another_process(settings)
    assert loaded.fingerprints == load(**settings.data).fingerprints

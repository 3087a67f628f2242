import numpy as np

from pipeline.data_loading import load_test_set, shared_data
from pipeline.datasets.fingerprint import fingerprint


def test_a_check_decodes_its_own_test_set_once(settings_for):
    settings = settings_for("model=cnn", "dataset=digits")
    trained = shared_data(settings)
    own, classes = load_test_set(settings, settings.place.data_dir)
    assert fingerprint(own) == fingerprint(trained.test)
    assert classes == trained.classes
    assert not np.shares_memory(own.inputs, trained.test.inputs)
    assert load_test_set(settings, settings.place.data_dir)[0] is own

import pytest

from pipeline.tracking import names
from pipeline.tracking.sweep_run import find_sweep_runs, sweep_run


@pytest.mark.parametrize(
    ("study", "alike"),
    [("it's", "it_s"), ("both ' and \"", 'both _ and "'), ('a "b"', "a b"), ("a_b", "axb")],
)
def test_a_study_is_found_whatever_its_name(store, study, alike):
    experiment = store.experiment("here").experiment_id
    for sweep_id, name in (("s1", study), ("s2", alike)):
        with sweep_run(store, experiment, sweep_id, "units=2,3", {names.STUDY: name}):
            pass
    for sweep_id, name in (("s1", study), ("s2", alike)):
        (found,) = find_sweep_runs(store, names.STUDY, name)
        assert found.data.tags[names.SWEEP_ID] == sweep_id

from pipeline.tracking import names
from pipeline.tracking.membership import join_sweep, membership, name_of
from pipeline.tracking.tracked_run import tracked_run

PARAMS = {"model": "lstm", "units": "64", "seed": "1", "layers": "2"}


def made_in(store, tags, name):
    experiment = store.experiment("here").experiment_id
    with tracked_run(store, experiment, name, tags) as run:
        run.log_params(PARAMS)
    return run.run_id


def name_in_store(store, run_id):
    return store.client.get_run(run_id).info.run_name


def test_a_run_of_two_sweeps_is_named_by_what_varies_in_either(store):
    run_id = made_in(store, membership("first", ["seed"]), "seed=1")
    join_sweep(store, run_id, "second", ["units"])
    assert name_in_store(store, run_id) == "units=64 seed=1"
    join_sweep(store, run_id, "third", ["layers", "units"])
    assert name_in_store(store, run_id) == "layers=2 units=64 seed=1"
    assert store.client.get_run(run_id).data.tags[names.sweep_tag("third")] == "layers,units"


def test_a_run_of_an_earlier_version_keeps_its_name(store):
    run_id = made_in(store, {names.sweep_tag("first"): "3"}, "seed=1")
    join_sweep(store, run_id, "second", ["units"])
    assert name_in_store(store, run_id) == "seed=1"


def test_a_key_that_is_no_parameter_is_left_out_of_a_name():
    assert name_of(PARAMS, ["units", "experiment"]) == "units=64"

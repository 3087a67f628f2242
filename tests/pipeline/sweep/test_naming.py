from pipeline.sweep.naming import run_name, sweep_name


def test_a_run_in_a_sweep_is_named_by_what_differs():
    parameters = {"model": "lstm", "units": 64, "seed": 1, "epochs": 3}
    overrides = ["model=lstm", "units=64", "seed=1", "epochs=3"]
    assert run_name(overrides, ["units", "seed"], parameters) == "units=64 seed=1"


def test_what_a_file_of_a_group_varies_is_named_by_its_values():
    parameters = {"model": "lstm", "units": 64, "mask": "true"}
    assert run_name(["+experiment=wide"], ["units", "mask"], parameters) == "units=64 mask=true"


def test_a_single_run_is_named_by_what_was_set():
    assert run_name(["units=64"], [], {"model": "lstm"}) == "units=64"
    assert run_name([], [], {"model": "lstm"}) == "model=lstm"


def test_how_it_is_run_is_no_part_of_a_name():
    assert run_name(["units=64", "workers=2", "rerun=true"], [], {"model": "lstm"}) == "units=64"


def test_the_same_jobs_in_the_same_place_are_the_same_sweep():
    assert sweep_name(["a", "b"], ["here"]) == sweep_name(["b", "a"], ["here"])
    assert sweep_name(["a", "b"], ["here"]) != sweep_name(["a"], ["here"])
    assert sweep_name(["a", "b"], ["here"]) != sweep_name(["a", "b"], ["there"])

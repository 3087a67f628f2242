from pipeline.sweep.names import new_sweep_id, run_name


def test_a_run_in_a_sweep_is_named_by_what_differs():
    overrides = ["model=lstm", "units=64", "seed=1", "epochs=3"]
    assert run_name(overrides, ["units", "seed"], "lstm") == "units=64 seed=1"


def test_a_single_run_is_named_by_what_was_set():
    assert run_name(["units=64"], [], "lstm") == "units=64"
    assert run_name([], [], "lstm") == "model=lstm"


def test_sweep_ids_differ_and_sort_by_time():
    first, second = new_sweep_id(), new_sweep_id()
    assert first != second
    assert first[:15] <= second[:15]

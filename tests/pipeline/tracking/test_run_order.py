import pytest

from pipeline.settings import SettingsError
from pipeline.tracking.queries import job_runs
from pipeline.tracking.run_order import in_order
from pipeline.tracking.tracked_run import tracked_run


@pytest.fixture
def runs(store):
    experiment = store.experiment("here").experiment_id
    for units, score in (("100", 0.2), ("20", 0.7), ("auto", None)):
        with tracked_run(store, experiment, f"units={units}", {}) as run:
            run.log_params({"units": units})
            if score is not None:
                run.log_metrics({"test/f1_macro": score})
    return job_runs(store, "here", "")


@pytest.mark.parametrize(
    ("sort", "units"),
    [
        ("units", ["20", "100", "auto"]),
        ("-units", ["auto", "100", "20"]),
        ("test/f1_macro", ["100", "20", "auto"]),
        ("-test/f1_macro", ["20", "100", "auto"]),
        ("started", ["100", "20", "auto"]),
    ],
)
def test_numbers_are_sorted_by_size_and_what_has_none_comes_last(runs, sort, units):
    assert [run.data.params["units"] for run in in_order(runs, sort)] == units


def test_what_no_run_has_is_refused(runs):
    with pytest.raises(SettingsError, match=r"sort=unit is neither .*did you mean `units`"):
        in_order(runs, "unit")

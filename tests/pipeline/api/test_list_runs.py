import pytest

import pipeline
from pipeline.tracking.store import open_local
from pipeline.tracking.tracked_run import tracked_run
from tests.support.fresh_store import stock


@pytest.fixture(scope="module")
def folder_of_three(tmp_path_factory, template):
    """A folder whose store has two runs with a score, and one that failed."""
    folder = stock(tmp_path_factory.mktemp("three"), template)
    store = open_local(folder)
    experiment = store.experiment("letters").experiment_id
    for units, score in (("8", 0.5), ("16", 0.7)):
        with tracked_run(store, experiment, f"units={units}", {}) as run:
            run.log_params({"units": units, "mask": str(units == "8"), "model": "lstm"})
            run.log_metrics({"validation/f1_macro": score, "test/f1/x": 0.1, "loss/train": 0.2})
            run.set_tags({"parity": "exact"})
    with (
        pytest.raises(RuntimeError),
        tracked_run(store, experiment, "units=32", {}) as run,
    ):
        run.log_params({"units": "32", "mask": "true", "model": "lstm"})
        raise RuntimeError("out of memory")
    return folder


@pytest.fixture
def three(folder_of_three, in_folder, monkeypatch):
    monkeypatch.chdir(folder_of_three)


def test_the_best_run_is_first_and_settings_have_their_types(three):
    table = pipeline.runs()
    assert table["name"].to_list() == ["units=16", "units=8", "units=32"]
    assert table["units"].to_list() == [16, 8, 32]
    assert table["mask"].to_list() == [False, True, True]
    assert table["status"].to_list() == ["FINISHED", "FINISHED", "FAILED"]
    assert table["parity"].to_list()[:2] == ["exact", "exact"]
    assert "out of memory" in table["error"].iloc[2]
    assert {"model", "test/f1/x", "loss/train"}.isdisjoint(table.columns)


def test_a_condition_an_order_and_a_limit_select_runs(three):
    assert pipeline.runs(where="params.units > 8", sort="-units")["units"].to_list() == [32, 16]
    assert len(pipeline.runs(experiment="letters", limit=1)) == 1


def test_the_complete_table_has_mlflows_names(three):
    table = pipeline.runs(complete=True)
    assert table["params.units"].to_list() == ["16", "8", "32"]
    assert {"metrics.loss/train", "tags.parity", "experiment"} <= {*table.columns}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"limit": 0}, "limit=0"),
        ({"experiment": "numbers"}, "experiment=numbers is not in"),
        ({"where": "nonsense"}, "where=nonsense"),
        ({"tracking": "nowhere"}, "tracking.uri=nowhere"),
    ],
)
def test_what_cannot_be_listed_is_refused(three, arguments, reason):
    with pytest.raises(pipeline.PipelineError, match=reason):
        pipeline.runs(**arguments)


def test_without_a_store_there_is_nothing_to_list(in_folder):
    with pytest.raises(pipeline.PipelineError, match="There is no store"):
        pipeline.runs()

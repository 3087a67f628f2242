import pytest

from pipeline.errors import StoreError
from pipeline.settings.schema import RunChoice
from pipeline.tracking import names
from pipeline.tracking.run_choice import choose_run, choose_runs, choose_sweep
from pipeline.tracking.store import Store, open_local
from tests.support.commands import serve
from tests.support.fresh_store import stock


def wanted(run_id, **given):
    blank = {"sweep": None, "experiment": None, "select_by": "f1_macro"}
    return RunChoice(run_id=run_id, **{**blank, **given})


@pytest.fixture(scope="module")
def filled(tmp_path_factory, template):
    """A store with two sweeps."""
    return open_local(stock(tmp_path_factory.mktemp("filled"), template))


@pytest.fixture(scope="module", params=["local", pytest.param("server", marks=pytest.mark.slow)])
def place(request, filled):
    """The store as a file and behind a server."""
    if request.param == "local":
        yield filled
        return
    with serve(filled.database.parent, filled.uri) as address:
        yield Store(address)


@pytest.fixture(scope="module")
def runs(filled):
    """Ids of runs by name: a sweep of two, a later one of two and a failure."""
    return {
        name: _run(filled, name, start, sweep, status, **scores)
        for name, start, sweep, status, scores in [
            ("a", 1, "first", "FINISHED", {"f1_macro": 0.9, "loss": 0.5}),
            ("b", 2, "first", "FINISHED", {"f1_macro": 0.1, "loss": 0.1}),
            ("c", 3, "last", "FINISHED", {"f1_macro": 0.3}),
            ("d", 4, "last", "FINISHED", {"f1_macro": 0.2}),
            ("e", 5, "last", "FAILED", {"f1_macro": 1.0}),
        ]
    }


def _run(store, name, start, sweep, status, **scores):
    experiment = store.experiment("texts" if sweep == "first" else "images").experiment_id
    tags = {names.FIRST_SWEEP: sweep, names.sweep_tag(sweep): "units"}
    made = store.client.create_run(experiment, start_time=start, tags=tags, run_name=name)
    for score, value in scores.items():
        store.client.log_metric(made.info.run_id, names.VALIDATION + score, value)
    store.client.set_terminated(made.info.run_id, status)
    return made.info.run_id


def test_a_run_is_chosen_by_what_is_known_of_it(runs, place):
    for run_id in runs.values():
        assert choose_run(place, wanted(run_id)) == run_id
        assert choose_run(place, wanted(run_id[:12].upper())) == run_id
    assert choose_run(place, wanted("latest")) == runs["d"]
    assert choose_run(place, wanted("latest", sweep="first")) == runs["b"]
    assert choose_run(place, wanted("best")) == runs["c"]  # of the last sweep
    assert choose_run(place, wanted("best", sweep="first")) == runs["a"]
    assert choose_run(place, wanted("best", sweep="latest")) == runs["c"]
    assert choose_run(place, wanted("best", experiment="texts")) == runs["a"]
    assert choose_run(place, wanted("best", experiment="texts", select_by="loss")) == runs["b"]
    assert choose_runs(place, wanted(None, sweep="last")) == [runs["d"], runs["c"]]
    assert choose_sweep(place, "latest") == "last"


def test_what_is_no_run_is_one_sentence(runs, place):
    for given, sentence in [
        (wanted("0" * 32), f"run_id={'0' * 32} is not a run in {place.uri}."),
        (wanted("latest", experiment="none"), f"experiment=none is not in {place.uri}; it holds"),
        (wanted("best", sweep="none"), "run_id=best: sweep=none in "),
        (wanted("best", select_by="loss"), "the score validation/loss."),
    ]:
        with pytest.raises(StoreError) as refused:
            choose_run(place, given)
        assert sentence in str(refused.value)


def test_an_ambiguous_beginning_lists_what_it_may_mean(store):
    made = [_run(store, f"run {n}", n, "first", "FINISHED") for n in range(17)]  # 16 first digits
    first = [run_id[0] for run_id in made]
    digit = next(one for one in first if first.count(one) > 1)
    with pytest.raises(StoreError, match="add digits") as refused:
        choose_run(store, wanted(digit))
    alike = [run_id for run_id in made if run_id.startswith(digit)]
    assert all(f"{run_id[:8]} (run {made.index(run_id)})" in str(refused.value) for run_id in alike)


def test_a_sweeps_own_run_has_no_weights(store):
    experiment = store.experiment("texts").experiment_id
    tags = {names.KIND: names.SWEEP, names.SWEEP_ID: "first"}
    own = store.client.create_run(experiment, tags=tags, run_name="sweep").info.run_id
    with pytest.raises(StoreError, match=r"is the run of a whole sweep .* run_id=best sweep=first"):
        choose_run(store, wanted(own))
    with pytest.raises(StoreError, match="holds no finished run"):
        choose_run(store, wanted("latest"))


def test_an_empty_folder_holds_no_run(tmp_path):
    nothing = Store(f"sqlite:///{tmp_path}/mlflow.db", tmp_path)
    with pytest.raises(StoreError, match="There is no store at"):
        choose_run(nothing, wanted("latest"))
    assert list(tmp_path.iterdir()) == []

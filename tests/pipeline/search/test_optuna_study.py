"""Optuna's own storage in a SQLite file, and what a search that was killed has left in it."""

import optuna
import pytest
from optuna.trial import TrialState

from pipeline.errors import StoreError
from pipeline.search.optuna_study import (
    ask,
    ask_again_for_interrupted,
    find_study,
    finished_trials,
    open_study,
    shown,
)

SPACE = ("units=8,16,32", "learning_rate=tag(log,interval(1e-4,1e-1))", "layers=range(1,4)")


@pytest.fixture
def plan(search_for):
    return search_for(*SPACE).settled(["multiclass"])


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'optuna.db'}"


def value(params):
    return -abs(params["learning_rate"] - 0.01) - params["layers"]


def search(study, plan, count):
    for _ in range(count):
        trial = ask(study, plan.search, plan.space)
        study.tell(trial, value(trial.params))


def chosen(study):
    return [trial.params for trial in finished_trials(study)]


def test_looking_for_a_study_creates_nothing(url, tmp_path):
    assert find_study(url, "none") is None
    assert list(tmp_path.iterdir()) == []


def test_a_study_makes_the_folder_of_its_file(plan, tmp_path):
    url = f"sqlite:///{tmp_path / 'mlruns' / 'optuna.db'}"  # runs may all be on a server
    open_study(url, "new", plan.search)
    assert find_study(url, "new") is not None


@pytest.mark.parametrize("sampler", ["tpe", pytest.param("random", marks=pytest.mark.slow)])
def test_an_interrupted_search_chooses_as_it_would_have(search_for, tmp_path, sampler):
    plan = search_for(*SPACE, sampler=sampler).settled(["multiclass"])
    whole = open_study(f"sqlite:///{tmp_path / 'whole.db'}", "one", plan.search)
    search(whole, plan, 16)

    url = f"sqlite:///{tmp_path / 'parts.db'}"
    search(open_study(url, "one", plan.search), plan, 12)
    ask(open_study(url, "one", plan.search), plan.search, plan.space)  # killed while at it
    again = open_study(url, "one", plan.search)
    ask_again_for_interrupted(again)
    search(again, plan, 4)

    assert chosen(again) == chosen(whole)
    assert len({trial["learning_rate"] for trial in chosen(whole)}) == 16


def test_a_trial_that_is_interrupted_twice_is_one_trial(plan, url):
    study = open_study(url, "one", plan.search)
    first = ask(study, plan.search, plan.space)
    for _ in range(2):
        ask_again_for_interrupted(study)
        again = ask(study, plan.search, plan.space)
        assert again.params == first.params
    assert finished_trials(study) == []
    study.tell(again, 0.5)
    assert [trial.params for trial in finished_trials(study)] == [first.params]
    assert study.best_params == first.params


def test_a_kill_between_asking_again_and_telling_is_mended(plan, url):
    study = open_study(url, "one", plan.search)
    first = ask(study, plan.search, plan.space)
    study.enqueue_trial(first.params, user_attrs={"continues": first.number})
    ask_again_for_interrupted(study)
    states = [trial.state for trial in study.get_trials()]
    assert states == [TrialState.FAIL, TrialState.WAITING]


def test_a_kill_while_values_are_chosen_is_mended(plan, url):
    study = open_study(url, "one", plan.search)
    half = study.ask({"units": plan.space[0].distribution})
    ask_again_for_interrupted(study)
    trial = ask(study, plan.search, plan.space)
    assert trial.params["units"] == half.params["units"]
    assert set(trial.params) == {"units", "learning_rate", "layers"}


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "hydra.sweeper.storage=nonsense cannot be used: "),
        (
            "sqlite:////dev/null/mine/optuna.db",
            "hydra.sweeper.storage=sqlite:////dev/null/mine/optuna.db cannot be used: /dev/null is",
        ),
        (
            "postgresql://me:secret@127.0.0.1:1/none",
            "hydra.sweeper.storage=postgresql://me:***@127.0.0.1:1/none cannot be used: ",
        ),
    ],
)
def test_a_storage_that_cannot_be_used_is_told_without_its_password(plan, url, told):
    with pytest.raises(StoreError, match="cannot be used") as refused:
        find_study(url, "one")
    assert str(refused.value).startswith(told)
    assert "secret" not in str(refused.value)
    with pytest.raises(StoreError):
        open_study(url, "one", plan.search)


def test_a_file_that_is_no_database(plan, tmp_path):
    (tmp_path / "optuna.db").write_text("no database, but long enough to be read as one" * 20)
    with pytest.raises(StoreError, match="not a database"):
        find_study(f"sqlite:///{tmp_path / 'optuna.db'}", "one")


def test_addresses_are_shown_as_they_were_typed():
    assert shown("sqlite:////tmp/optuna.db") == "sqlite:////tmp/optuna.db"


def test_our_spaces_are_optunas(plan, url):
    """What another program reads from the storage is what was searched."""
    search(open_study(url, "one", plan.search), plan, 1)
    loaded = optuna.load_study(study_name="one", storage=url)
    assert loaded.trials[0].distributions == {d.key: d.distribution for d in plan.space}

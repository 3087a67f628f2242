import pytest

from pipeline.errors import StoreError
from pipeline.reports.study.gathering import gather_experiment, gather_study, gather_sweep
from pipeline.reports.study.study_page import left_out
from pipeline.settings import SettingsError
from pipeline.settings.composer import CONF
from pipeline.tracking import names
from pipeline.tracking.sweep_run import log_plan, sweep_run
from tests.support.study_runs import PARAMS


def job(**params):
    return {**PARAMS, **{key: str(value) for key, value in params.items()}}


def plan(store, sweep_id, *jobs, study="lstm_units"):
    experiment = store.experiment("here").experiment_id
    with sweep_run(store, experiment, sweep_id, "units=4,8", {names.STUDY: study}) as run:
        log_plan(run, "the command", ["units", "seed"], jobs)
    return run.run_id


def test_a_study_is_its_latest_sweep(store, log_run):
    plan(store, "first", job(units=8))
    log_run(0.5, units=8, tags={"sweep.first": "1"})
    own = plan(store, "second", job(units=8), job(units=16))
    log_run(0.6, units=8, tags={"sweep.second": "1"})
    log_run(0.7, units=16, tags={"sweep.second": "1"})
    found = gather_study(store, CONF, "lstm_units")
    assert (found.key, found.own_run_id, found.command) == ("second", own, "the command")
    assert sorted(run.metrics["test/f1_macro"] for run in found.runs) == [0.6, 0.7]
    assert found.varied == ("units",)
    assert left_out(found) == []
    assert found.runs[0].curves["loss/validation"] == (1.0, 0.8, 0.9)


def test_a_study_of_ones_own_is_read_from_its_sweep(store, log_run):
    mine = {"name": "mine", "question": "Does it?", "words": {"units": "{} cells"}, "claim": None}
    experiment = store.experiment("here").experiment_id
    with sweep_run(store, experiment, "s", "units=8", {names.STUDY: "mine"}) as run:
        log_plan(run, "the command", ["units", "seed"], [job(units=8)], mine)
    log_run(0.5, units=8, tags={"sweep.s": "1"})
    found = gather_study(store, CONF, "mine")
    assert (found.title, found.study.question) == ("study=mine", "Does it?")
    assert found.study.words_for("units", "8") == "8 cells"


def test_missing_failed_and_repeated_runs_are_told(store, log_run):
    plan(store, "s", job(units=8), job(units=16), job(units=32))
    log_run(0.5, units=8, tags={"sweep.s": "1"})
    log_run(0.6, units=8, tags={"sweep.s": "1"})
    log_run(0, units=16, status="FAILED", tags={"sweep.s": "1", "error": "DivergedError: nan"})
    found = gather_sweep(store, CONF, "s")
    assert [run.metrics["test/f1_macro"] for run in found.runs if run.finished] == [0.6]
    assert sorted(left_out(found)) == [
        "Earlier runs of settings that were run again, not counted: an LSTM of 8 units, seed 0.",
        "an LSTM of 16 units, seed 0 ended FAILED: DivergedError: nan; it is not counted.",
        "an LSTM of 32 units, seed 0: no run was found.",
    ]


def test_a_finished_run_counts_though_a_later_one_failed(store, log_run):
    plan(store, "s", job(units=8))
    log_run(0.5, units=8, tags={"sweep.s": "1"})
    log_run(0, units=8, status="FAILED", tags={"sweep.s": "1"})
    found = gather_sweep(store, CONF, "s")
    assert [run.status for run in found.runs] == ["FINISHED"]
    assert [run.status for run in found.superseded] == ["FAILED"]


def test_a_stale_run_is_told(store, log_run):
    plan(store, "s", job(units=8))
    log_run(0.5, units=8, tags={"sweep.s": "1", "parity": "stale", "parity.reason": "changed."})
    assert left_out(gather_sweep(store, CONF, "s")) == [
        "an LSTM of 8 units, seed 0 is counted, but stale: changed."
    ]


def test_a_job_that_an_earlier_sweep_did_is_not_missing(store, log_run):
    log_run(0.5, units=8, tags={"sweep.earlier": "1", "sweep.s": "done"})
    log_run(0.9, units=16, tags={"sweep.earlier": "2"})
    plan(store, "s", job(units=8), job(units=16))
    found = gather_sweep(store, CONF, "s")
    assert [run.params["units"] for run in found.runs] == ["8"]
    assert [missing["units"] for missing in found.missing] == ["16"]


def test_an_experiment_is_compared_by_what_differs(store, log_run):
    for seed in (0, 1):
        for units in (8, 16):
            log_run(0.5, units=units, seed=seed)
    plan(store, "own")  # a sweep's own run is none of its runs
    found = gather_experiment(store, "here", None)
    assert len(found.runs) == 4
    assert found.varied == ("units",)


def test_what_is_not_there_is_one_sentence(store, log_run):
    log_run(0.5)
    with pytest.raises(StoreError, match=r"study=cell has no sweep in sqlite.*study=cell makes"):
        gather_study(store, CONF, "cell")
    with pytest.raises(StoreError, match=r"\(did you mean `lstm_units`\?\)"):
        gather_study(store, CONF, "lstm_unit")
    with pytest.raises(StoreError, match="sweep=x has no run in sqlite"):
        gather_sweep(store, CONF, "x")
    with pytest.raises(StoreError, match=r"experiment=x is not in sqlite.*; it holds .*here"):
        gather_experiment(store, "x", None)
    with pytest.raises(StoreError, match=r"experiment=Default in sqlite.* holds no run"):
        gather_experiment(store, "Default", None)
    with pytest.raises(SettingsError, match="varied=unit: no run has such a parameter"):
        gather_experiment(store, "here", ["unit"])


@pytest.mark.parametrize(
    "content", ["{", "[" * 100_000, "[1]", '{"varied": []}', '{"varied": [], "jobs": [3]}']
)
def test_a_damaged_plan_is_one_sentence(store, content):
    experiment = store.experiment("reviews").experiment_id
    with sweep_run(store, experiment, "s", "units=8") as run:
        run.log_text(content, names.PLAN)
    with pytest.raises(StoreError, match=r"sweep/plan\.json cannot be read: .*\.$") as told:
        gather_sweep(store, CONF, "s")
    assert len(str(told.value).splitlines()) == 1

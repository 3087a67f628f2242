from pipeline.reports.study.varied import differing_keys, incompatibilities
from tests.support.study_runs import study_run


def test_runs_that_differ_as_they_should():
    runs = [study_run(0.7, units=32, seed=0), study_run(0.7, units=64, seed=1)]
    assert incompatibilities(runs, ["units"]) == []
    assert differing_keys(runs) == ("units",)


def test_other_data_are_named():
    runs = [study_run(0.7), study_run(0.7, seed=1, tags={"fingerprint.test": "0" * 64})]
    (sentence,) = incompatibilities(runs, ["units"])
    assert sentence == (
        "the test data (fingerprint) differs: tttttttttttt in 1 run (such as  seed=0); "
        "000000000000 in 1 run (such as  seed=1)."
    )


def test_data_that_were_varied_may_differ():
    runs = [
        study_run(0.7, train_size=100),
        study_run(0.7, train_size=200, tags={"fingerprint.train": "0" * 64}),
    ]
    assert incompatibilities(runs, ["train_size"]) == []
    assert "`train_size`" in incompatibilities(runs, ["units"])[0]
    assert "the train data" in incompatibilities(runs, ["units"])[1]


def test_other_code_is_named():
    changed = {"git.dirty": "True"}
    later = {"mlflow.source.git.commit": "b" * 40}
    runs = [study_run(0.7, seed=i, tags=tags) for i, tags in enumerate(({}, changed, later))]
    (sentence,) = incompatibilities(runs, [])
    assert "aaaaaaaaaa in 1 run" in sentence
    assert "aaaaaaaaaa with changes in 1 run" in sentence
    assert "bbbbbbbbbb in 1 run" in sentence


def test_other_fixed_settings_are_named():
    runs = [study_run(0.7, units=32, epochs=2), study_run(0.7, units=64, epochs=20)]
    (sentence,) = incompatibilities(runs, ["units"])
    assert sentence.startswith("`epochs` differs: 2 in 1 run")


def test_what_follows_from_another_model_is_no_difference():
    runs = [
        study_run(0.7, model="rnn", layers=5, seed=0),
        study_run(0.7, model="rnn", layers=5, seed=1),
        study_run(0.7, model="lstm", layers=1),
    ]
    assert incompatibilities(runs, ["model"]) == []
    assert differing_keys(runs) == ("model",)
    runs.append(study_run(0.7, model="lstm", layers=2))
    assert differing_keys(runs) == ("model", "layers")

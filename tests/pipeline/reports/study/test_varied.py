import json

from pipeline.reports.study.varied import differing_keys, incompatibilities
from tests.support.study_runs import study_run


def test_runs_that_differ_as_they_should():
    runs = [study_run(0.7, units=32, seed=0), study_run(0.7, units=64, seed=1)]
    assert incompatibilities(runs, ["units"]) == []
    assert differing_keys([run.params for run in runs]) == ("units",)


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


def with_code(training="1" * 16, model="2" * 16, **tags):
    return {**tags, "track.code": json.dumps({"training": training, "model": model})}


def test_commits_with_the_same_code_are_no_difference():
    later = {"mlflow.source.git.commit": "b" * 40, "git.dirty": "True"}
    runs = [study_run(0.7, seed=0, tags=with_code()), study_run(0.7, tags=with_code(**later))]
    assert incompatibilities(runs, []) == []


def test_models_have_code_of_their_own_and_share_that_of_the_training():
    tags = (with_code(), with_code(model="3" * 16))
    runs = [
        study_run(0.7, model=name, tags=one) for name, one in zip(("rnn", "gru"), tags, strict=True)
    ]
    assert incompatibilities(runs, ["model"]) == []
    runs.append(study_run(0.7, model="gru", tags=with_code(), seed=1))
    (sentence,) = incompatibilities(runs, ["model"])
    assert sentence.startswith("the code of model=gru (hash) differs: 3333333333333333 in 1 run")
    runs[-1] = study_run(0.7, model="gru", seed=1, tags=with_code("4" * 16, "3" * 16))
    (sentence,) = incompatibilities(runs, ["model"])
    assert sentence.startswith("the code of the training (hash) differs: 1111111111111111 in 2")


def test_other_code_is_named_by_its_commit_if_its_hash_was_not_stored():
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
    assert differing_keys([run.params for run in runs]) == ("model",)
    runs.append(study_run(0.7, model="lstm", layers=2))
    assert differing_keys([run.params for run in runs]) == ("model", "layers")

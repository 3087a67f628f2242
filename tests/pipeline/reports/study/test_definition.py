import json
from functools import cache

import pytest
import yaml

from pipeline.reports.study.definition import (
    Study,
    load_study,
    parse_study,
    study_names,
)
from pipeline.settings import SettingsError
from pipeline.settings.as_typed import label
from pipeline.settings.composer import CONF
from tests.support.plans import plan_of

OF_THE_REPORT = {
    *["cnn_depth", "cnn_filters", "cnn_kernel", "cnn_pooling"],
    *["rnn_depth", "rnn_units", "rnn_direction", "lstm_depth", "lstm_units", "lstm_direction"],
}
FURTHER = {"padding_and_masking", "regularisation", "optimizer", "cell", "text_baseline"}


@cache
def plan_of_study(name, *arguments):
    """Composing hundreds of jobs takes seconds, so a plan serves all the tests that read it."""
    file = yaml.safe_load((CONF / "study" / f"{name}.yaml").read_text(encoding="utf-8"))
    swept = [f"{key}={values}" for key, values in file["hydra"]["sweeper"]["params"].items()]
    return plan_of(*swept, f"+study={name}", *arguments)


def test_every_study_is_there():
    assert set(study_names(CONF)) == OF_THE_REPORT | FURTHER


@pytest.mark.parametrize("name", sorted(OF_THE_REPORT | FURTHER))
def test_a_study_composes_into_checked_jobs(name):
    plan = plan_of_study(name)
    study = load_study(CONF, name)
    image = plan.jobs[0].parameters["model"] == "cnn"
    seeds = {job.settings.training.seed for job in plan.jobs}
    assert seeds == ({0, 1, 2} if image else {0, 1, 2, 3, 4})
    assert {job.parameters["dataset"] for job in plan.jobs} == {"cifar10" if image else "nusax"}
    assert {job.settings.training.train_size for job in plan.jobs} >= ({10000} if image else set())
    assert {job.settings.place.experiment for job in plan.jobs} == {name}
    assert (study.name, plan.study) == (name, name)
    assert study.question.endswith("?")
    assert (study.claim is not None) == (name in OF_THE_REPORT)


@pytest.mark.parametrize("name", sorted(OF_THE_REPORT))
def test_a_claim_speaks_of_values_that_are_tried(name):
    plan, claim = plan_of_study(name), load_study(CONF, name).claim
    (key,) = [key for key in plan.varied if key not in ("seed", *claim.under)]
    tried = {label(job.parameters[key]) for job in plan.jobs}
    assert {label(value) for pair in claim.expects for value in pair} == tried
    for conditions in filter(None, (claim.under, claim.artefact and claim.artefact.under)):
        for other, value in conditions.items():
            assert label(value) in {label(job.parameters[other]) for job in plan.jobs}


def test_the_command_line_overrides_a_study():
    plan = plan_of_study("lstm_units", "units=8", "seed=range(10)", "dataset=reviews")
    assert len(plan.jobs) == 10
    assert {job.settings.model.units for job in plan.jobs} == {8}
    assert {job.settings.dataset.name for job in plan.jobs} == {"reviews"}
    assert plan.varied == ("seed",)


def test_a_study_changes_no_hyperparameter_but_its_own():
    assert not [key for key in plan_of_study("cell").jobs[0].parameters if "study" in key]


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("+study=lstm_unit", "study=lstm_unit must be cell, cnn_depth"),
        ("+study=cell,optimizer", "+study=cell,optimizer names several studies; run one at a time"),
        ("+study.name=x", "`study.name` is not an option of model=lstm"),
    ],
)
def test_a_faulty_study_is_one_sentence(override, sentence):
    with pytest.raises(SettingsError) as refused:
        plan_of(override)
    (fault,) = refused.value.faults
    assert fault.startswith(sentence)


def test_every_word_of_a_study_is_for_a_value_that_is_tried():
    for name in sorted(OF_THE_REPORT | FURTHER):
        jobs, study = plan_of_study(name).jobs, load_study(CONF, name)
        for key, words in study.words.items():
            values = {label(job.parameters[key]) for job in jobs}
            assert len({study.words_for(key, value) for value in values} - {None}) == len(values)
            if isinstance(words, dict):
                assert {label(value) for value in words} == values


def test_a_study_without_a_file_of_ours_is_a_plain_one():
    assert load_study(CONF, "mine").question == "What do the runs of study=mine show?"


def test_a_study_survives_being_stored_as_json():
    study = load_study(CONF, "lstm_direction")
    stored = json.loads(json.dumps(study.model_dump()))
    again = parse_study(stored, "lstm_direction")
    assert again.words_for("bidirectional", "true") == "both directions"
    assert again.claim == study.claim


@pytest.mark.parametrize(
    ("node", "sentence"),
    [
        ({"question": 7}, "study.question=7 cannot be used: input should be a valid string."),
        ({"wrods": {}}, "study.wrods={} cannot be used: extra inputs are not permitted."),
        ({"against": "luck"}, "study.against=luck cannot be used: input should be 'tfidf'."),
    ],
)
def test_a_study_that_cannot_be_used_is_one_sentence(node, sentence):
    with pytest.raises(SettingsError) as refused:
        parse_study(node, "mine")
    assert refused.value.faults == [sentence]


def test_a_claim_on_an_unknown_measure_is_refused():
    claim = {"said": "x", "dataset": "nusax", "measure": "luck", "expects": [[1, 2]]}
    with pytest.raises(ValueError, match="it must be best_accuracy_validation"):
        Study.model_validate({"name": "x", "question": "x?", "claim": claim})

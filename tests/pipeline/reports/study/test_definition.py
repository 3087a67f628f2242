import pytest
from hydra import compose, initialize_config_dir

from pipeline.reports.study.definition import Study, load_study, study_names
from pipeline.settings import SettingsError
from pipeline.settings.as_typed import label
from pipeline.settings.conf_folder import CONF

OF_THE_REPORT = {
    *["cnn_depth", "cnn_filters", "cnn_kernel", "cnn_pooling"],
    *["rnn_depth", "rnn_units", "rnn_direction", "lstm_depth", "lstm_units", "lstm_direction"],
}
FURTHER = {"padding_and_masking", "regularisation", "optimizer", "cell", "text_baseline"}


def plan_of(plan_for, name, *arguments):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("train", [f"+study={name}"], return_hydra_config=True)
    swept = [f"{key}={values}" for key, values in config.hydra.sweeper.params.items()]
    return plan_for(*swept, f"+study={name}", *arguments)


def test_every_study_is_there():
    assert set(study_names(CONF)) == OF_THE_REPORT | FURTHER


@pytest.mark.parametrize("name", sorted(OF_THE_REPORT | FURTHER))
def test_a_study_composes_into_checked_jobs(plan_for, name):
    plan = plan_of(plan_for, name)
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
def test_a_claim_speaks_of_values_that_are_tried(plan_for, name):
    plan, claim = plan_of(plan_for, name), load_study(CONF, name).claim
    (key,) = [key for key in plan.varied if key not in ("seed", *claim.under)]
    tried = {label(job.parameters[key]) for job in plan.jobs}
    assert {label(value) for pair in claim.expects for value in pair} == tried
    for conditions in filter(None, (claim.under, claim.artefact and claim.artefact.under)):
        for other, value in conditions.items():
            assert label(value) in {label(job.parameters[other]) for job in plan.jobs}


def test_the_command_line_overrides_a_study(plan_for):
    plan = plan_of(plan_for, "lstm_units", "units=8", "seed=range(10)", "dataset=reviews")
    assert len(plan.jobs) == 10
    assert {job.settings.model.units for job in plan.jobs} == {8}
    assert {job.settings.dataset.name for job in plan.jobs} == {"reviews"}
    assert plan.varied == ("seed",)


def test_a_study_changes_no_hyperparameter_but_its_own(plan_for):
    assert not [key for key in plan_of(plan_for, "cell").jobs[0].parameters if "study" in key]


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("+study=lstm_unit", "study=lstm_unit must be cell, cnn_depth"),
        ("+study=cell,optimizer", "+study=cell,optimizer names several studies; run one at a time"),
        ("+study.name=x", "`study.name` is not an option of model=lstm"),
    ],
)
def test_a_faulty_study_is_one_sentence(plan_for, override, sentence):
    with pytest.raises(SettingsError) as refused:
        plan_for(override)
    (fault,) = refused.value.faults
    assert fault.startswith(sentence)


def test_an_unknown_study_lists_the_known_ones():
    with pytest.raises(SettingsError, match=r"cnn_pooling.*did you mean `lstm_units`") as refused:
        load_study(CONF, "lstm_unit")
    assert all(name in str(refused.value) for name in OF_THE_REPORT | FURTHER)


def test_a_claim_on_an_unknown_measure_is_refused():
    claim = {"said": "x", "dataset": "nusax", "measure": "luck", "expects": [[1, 2]]}
    with pytest.raises(ValueError, match="it must be best_accuracy_validation"):
        Study.model_validate({"name": "x", "question": "x?", "claim": claim})

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from pipeline.settings import SettingsError
from pipeline.settings.conf_folder import CONF
from pipeline.sweep.plan import plan_sweep


def faults_of(plan_for, *overrides):
    with pytest.raises(SettingsError) as refused:
        plan_for(*overrides)
    return refused.value.faults


def test_a_sweep_is_the_product_of_its_values(plan_for):
    plan = plan_for("model=lstm", "units=32,64", "layers=1,2")
    assert [(job.settings.model.units, job.settings.model.layers) for job in plan.jobs] == [
        (32, 1),
        (32, 2),
        (64, 1),
        (64, 2),
    ]
    assert plan.varied == ("units", "layers")


def test_what_varies_is_named_without_hydras_plus_signs(plan_for):
    assert plan_for("++units=4,8", "seed=0,1").varied == ("units", "seed")


def test_booleans_are_named_as_they_are_typed(plan_for):
    plan = plan_for("mask=true,false")
    assert [job.overrides for job in plan.jobs] == [("mask=true",), ("mask=false",)]
    assert [job.settings.model.mask for job in plan.jobs] == [True, False]


def test_lists_are_swept_as_values(plan_for):
    plan = plan_for("model=cnn", "filters=[16,32],[32,64],[64,128]")
    assert [job.settings.model.filters for job in plan.jobs] == [(16, 32), (32, 64), (64, 128)]


def test_models_are_swept_with_their_own_defaults(plan_for):
    plan = plan_for("model=rnn,lstm,cnn")
    assert [job.settings.dataset.name for job in plan.jobs] == ["reviews", "reviews", "digits"]
    assert plan.jobs[0].settings.model.layers == 5


def test_one_job_without_a_sweep(plan_for):
    plan = plan_for()
    assert len(plan.jobs) == 1
    assert plan.varied == ()


def test_every_fault_of_every_job_is_told_once(plan_for):
    assert faults_of(plan_for, "units=32,-1,abc", "layers=1,2", "bogus=1") == [
        "`bogus` is not an option of model=lstm.",
        "units=-1 must be a whole number, 1 or more.",
        "units=abc must be a whole number, 1 or more.",
    ]


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("unit=64", "`unit` is not an option of model=lstm (did you mean `units`?)."),
        ("+bogus=1", "`bogus` is not an option of model=lstm."),
        ("tracking.uri=http://host", "`tracking.uri` is not an option of tracking=local."),
        ("sweep.threads=0", "`sweep.threads` cannot be set by hand: a sweep plans it."),
        ("dataset.language=english", "`dataset.language` is not an option of dataset=reviews."),
        ("~units", "~units would remove a setting; every one is needed."),
        ("optimizer=foo", "optimizer=foo must be adam, rmsprop or sgd."),
        ("optimizer=sdg", "optimizer=sdg must be adam, rmsprop or sgd (did you mean `sgd`?)."),
        ("model=lstm,lsmt", "model=lsmt must be cnn, gru, lstm or rnn (did you mean `lstm`?)."),
        ("filters=[3]", "`filters` is an option of model=cnn, not of model=lstm."),
        ("optimzer=sgd", "`optimzer` is not an option of model=lstm (did you mean `optimizer`?)."),
        (
            "units=interval(1,3)",
            "units=interval(1,3) has no end; list the values, `units=1,2,3`, or search with "
            "hydra/sweeper=optuna.",
        ),
    ],
)
def test_what_hydra_lets_pass_or_words_badly(plan_for, override, sentence):
    assert faults_of(plan_for, override) == [sentence]


def test_an_unreadable_command_line(plan_for):
    assert faults_of(plan_for, "units=range(1,4")[0].startswith("the command line cannot be read")


def test_hydra_composes_once_for_hundreds_of_jobs():
    composed = []

    def counted(groups):
        composed.append(groups)
        return compose("train", groups)

    with initialize_config_dir(str(CONF), version_base="1.3"):
        options = GlobalHydra.instance().config_loader().get_group_options
        plan = plan_sweep(["model=rnn,gru", "units=range(1,101)"], counted, options)
    assert len(plan.jobs) == 200
    assert composed == [["model=rnn"], ["model=gru"]]

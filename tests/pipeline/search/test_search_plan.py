import pytest

from pipeline.search.metric import compared, doubts, settled, unknown_metric
from pipeline.settings import SettingsError
from pipeline.training.history import Epoch

RATE = "learning_rate=tag(log,interval(1e-4,1e-1))"


def faults_of(search_for, *arguments, **options):
    with pytest.raises(SettingsError) as refused:
        search_for(*arguments, **options)
    return refused.value.faults


def test_every_listed_value_and_both_ends_are_probed(search_for):
    plan = search_for("model=cnn", "filters=[4],[8,16]", RATE)
    tried = [
        (job.settings.model.filters, job.settings.training.learning_rate)
        for job in plan.probes.jobs
    ]
    assert tried == [((4,), 1e-4), ((8, 16), 1e-4), ((4,), 0.1)]
    assert plan.probes.varied == ("filters", "learning_rate")
    assert plan.fixed == ("model=cnn",)


def test_a_trial_is_a_job_of_the_values_that_were_chosen(search_for):
    plan = search_for("model=rnn,lstm", "units=range(2,9)", RATE)
    job = plan.job({"model": "lstm", "units": 5, "learning_rate": 0.0031622776601})
    assert job.settings.model_name == "lstm"
    assert job.settings.model.units == 5
    assert job.settings.training.learning_rate == 0.003162
    assert job.overrides == ("model=lstm", "units=5", "learning_rate=0.003162")


def test_values_that_do_not_go_together_are_refused_when_they_meet(search_for):
    plan = search_for("model=cnn", "conv_padding=valid", "filters=[4],[4,4]", "kernel_size=2,5")
    with pytest.raises(SettingsError):
        plan.job({"filters": "[4,4]", "kernel_size": "5"})


@pytest.mark.parametrize(
    ("arguments", "sentences"),
    [
        (["unit=choice(8,16)"], ["`unit` is not an option of model=lstm (did you mean `units`?)."]),
        (["units=choice(8,-1)"], ["units=-1 must be a whole number, 1 or more."]),
        (["dropout=interval(0,1)"], ["dropout=1.0 must be a number from 0 to below 1."]),
        (["units=8,16", "l2=-1"], ["l2=-1 must be a number, 0 or more."]),
        (
            ["units=interval(8,64)"],
            [
                "units=8.0 must be a whole number, 1 or more.",
                "units=64.0 must be a whole number, 1 or more.",
                "For whole numbers write units=int(interval(...)) or units=range(...).",
            ],
        ),
        (
            ["units=8"],
            [
                "hydra/sweeper=optuna has nothing to search: give a key several values, such as "
                "'units=choice(8,16,32)' or 'learning_rate=tag(log,interval(1e-4,1e-1))'."
            ],
        ),
        (
            ["+study=lstm_units", "units=8,16"],
            ["+study=lstm_units brings its own values to try; leave it out."],
        ),
        (
            ["units=8,16", "retry=failed"],
            [
                "retry=failed has no meaning in a search: that a trial failed is what it learned "
                "of it."
            ],
        ),
    ],
)
def test_faults_are_told_before_anything_trains(search_for, arguments, sentences):
    assert faults_of(search_for, *arguments) == sentences


def test_how_it_is_searched_is_checked(search_for):
    assert faults_of(
        search_for, "units=8,16", n_trials=0, direction="up", sampler="grid", pruner_warmup=-1
    ) == [
        "hydra.sweeper.n_trials=0 must be a whole number, 1 or more.",
        "hydra.sweeper.direction=up must be auto, maximize or minimize.",
        "hydra.sweeper.sampler=grid must be random or tpe.",
        "hydra.sweeper.pruner_warmup=-1 must be a whole number, 0 or more.",
    ]


def test_a_metric_that_no_run_has_is_refused(search_for):
    (sentence,) = faults_of(search_for, "units=8,16", metric="validation/f1")
    assert sentence.startswith(
        "hydra.sweeper.metric=validation/f1 is not a metric of runs on dataset=reviews "
        "(did you mean `validation/f1_macro`?); there are validation/accuracy, "
    )
    assert unknown_metric("validation/f1/negative", ["reviews"]) == []
    assert unknown_metric("validation/f1/negative", ["digits"])
    assert unknown_metric("validation/f1/mine", ["csv"]) == []  # only the file knows its classes


def test_what_is_compared_while_a_trial_lasts(search_for):
    def series(**options):
        return compared(search_for("units=8,16", **options).settled(["multiclass"]).search).metric

    assert series() == "accuracy/validation"
    assert series(metric="validation/loss", direction="minimize") == "loss/validation"
    assert series(metric="accuracy/train") == "accuracy/train"


def test_a_search_of_a_regression_maximizes_r2_and_compares_trials_by_their_loss(search_for):
    plan = search_for("units=8,16").settled(["regression"])
    assert (plan.search.metric, plan.search.direction) == ("validation/r2", "maximize")
    series = compared(plan.search, plan.measure)
    assert series.metric == "loss/validation"
    assert series.value_of(Epoch(1, 0.9, 0.8, 0.5, 0.6, 0.001, 2.0, "mae")) == -0.8
    by_error = {"metric": "validation/mae", "direction": "auto"}
    by_mae = settled(plan.search.model_copy(update=by_error), ["regression"])
    assert by_mae.direction == "minimize"
    assert compared(by_mae, "mae").value_of(Epoch(1, 3, 4, 5, 6, 7, 8)) == 4


def test_a_metric_of_another_task_is_refused_once_the_task_is_known(search_for):
    plan = search_for("units=8,16", metric="validation/accuracy")
    with pytest.raises(SettingsError, match="not a metric of runs on dataset=reviews"):
        plan.settled(["regression"])


def test_an_own_class_of_the_test_data_is_doubtful_too(search_for):
    (doubt,) = doubts(search_for("units=8,16", metric="test/f1/positive").search)
    assert doubt.startswith("hydra.sweeper.metric=test/f1/positive: what is chosen by the test")


def test_a_time_is_better_the_less(search_for):
    (doubt,) = doubts(search_for("units=8,16", metric="seconds", direction="maximize").search)
    assert doubt.startswith("hydra.sweeper.direction=maximize looks for the largest seconds")


def test_doubtful_aims_are_noted(search_for):
    assert doubts(search_for("units=8,16").search) == []
    aim = {"metric": "test/loss", "direction": "maximize"}
    assert doubts(search_for("units=8,16", **aim).search) == [
        "hydra.sweeper.metric=test/loss: what is chosen by the test data cannot be judged by them.",
        "hydra.sweeper.direction=maximize looks for the largest test/loss; meant may be minimize.",
    ]


def test_a_search_is_named_by_what_is_fixed_and_what_is_searched(search_for):
    plan = search_for("model=lstm", "workers=2", "units=8,16", "dropout=interval(0,0.5)")
    assert plan.title == "model=lstm units=8 or 16 dropout=0.0 to 0.5"


def test_trials_are_ranked_by_the_searchs_own_metric(search_for):
    plan = search_for("units=8,16", metric="best/loss_validation", direction="minimize")
    criterion = plan.settled(["multiclass"]).criterion(["multiclass"])
    assert (criterion.metric, criterion.least) == ("best/loss_validation", True)
    assert criterion.test_metric == "test/f1_macro"

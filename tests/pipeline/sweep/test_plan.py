import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl

from pipeline.errors import choices
from pipeline.settings import SettingsError
from pipeline.settings.composer import composer
from pipeline.settings.optimizer_arguments import keras_optimizers
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
        ("sweep.threads=0", "`sweep.threads` cannot be set: the sweep sets it."),
        ("dataset.language=english", "`dataset.language` is not an option of dataset=reviews."),
        ("~units", "~units would remove a setting; every one is needed."),
        (
            "optimizer.clipnrom=1",
            "`optimizer.clipnrom` is not an option of optimizer=adam (did you mean `clipnorm`?); "
            "it has amsgrad, beta_1, beta_2, clipnorm, clipvalue, ema_momentum, "
            "ema_overwrite_frequency, epsilon, global_clipnorm, gradient_accumulation_steps, "
            "loss_scale_factor, use_ema or weight_decay.",
        ),
        (
            "model=lstm,lsmt",
            "model=lsmt must be cnn, gru, keras_file, lstm, mlp, resnet, rnn or transformer "
            "(did you mean `lstm`?).",
        ),
        ("filters=[3]", "`filters` is an option of model=cnn or resnet, not of model=lstm."),
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


def test_functions_of_ones_own_are_named_as_typed(plan_for):
    plan = plan_for("loss=mse,my_fits:doubled", "callbacks=[my_fits:halving]")
    assert [job.parameters["loss"] for job in plan.jobs] == ["mse", "my_fits:doubled"]
    assert plan.jobs[1].settings.training.callbacks == ("my_fits:halving",)
    assert plan.title == "loss=mse,my_fits:doubled callbacks=[my_fits:halving]"


@pytest.mark.parametrize(("name", "meant"), [("foo", ""), ("AdmW", " (did you mean `adamw`?)")])
def test_an_unknown_optimizer_is_answered_with_all_of_keras(plan_for, name, meant):
    (fault,) = faults_of(plan_for, f"optimizer={name}")
    assert fault == f"optimizer={name} must be {choices(keras_optimizers())}{meant}."


def test_any_argument_of_an_optimizer_is_swept_and_logged(plan_for):
    plan = plan_for("optimizer=adam,lion", "optimizer.weight_decay=null,0.01", "units=8")
    assert plan.varied == ("optimizer", "optimizer.weight_decay")
    decays = [job.parameters["optimizer.weight_decay"] for job in plan.jobs]
    assert decays == ["null", "0.01", "null", "0.01"]
    assert [job.settings.optimizer.weight_decay for job in plan.jobs] == [None, 0.01, None, 0.01]
    assert plan.jobs[2].parameters["optimizer.beta_2"] == "0.99"  # Keras's default
    assert plan.title == "optimizer=adam,lion optimizer.weight_decay=null,0.01 units=8"


def test_names_of_digits_stay_text(plan_for):
    """Hydra's grammar reads 2024 as an integer, 1e5 as 100000.0 and 12e45678 as infinity."""
    places = ("experiment=2024,1e5,2024.10,007,12e45678", "data_dir=2024")
    plan = plan_for(*places, "units=8", "initial_weights=51751378")
    assert {job.settings.training.initial_weights for job in plan.jobs} == {"51751378"}
    names = [job.settings.place.experiment for job in plan.jobs]
    assert names == ["2024", "1e5", "2024.10", "007", "12e45678"]
    assert {job.settings.place.data_dir for job in plan.jobs} == {"2024"}


@pytest.mark.parametrize("line", ["units=range(1,4", "dataset.path=my (1).csv"])
def test_an_unreadable_override_is_named_with_the_quotes_it_needs(plan_for, line):
    (fault,) = faults_of(plan_for, line)
    key, _, value = line.partition("=")
    assert fault.startswith(f"`{line}` cannot be read")
    assert fault.endswith(f"""as in '{key}="{value}"'.""")


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        (
            "units=${oc.env:NOPE}",
            "units=${oc.env:NOPE} cannot be resolved: KeyError raised while",
        ),
        (
            "units=${oc.env:NOPE,16}",
            "units='16' is text and must be a whole number, 1 or more; ${oc.decode:...} around an "
            "interpolation reads its text as a value.",
        ),
        (
            "units=glob(*)",
            "units=glob(*): glob(...) lists the files of a group; list the values.",
        ),
        (
            "model=glob(x*)",
            "model=glob(x*) matches none of cnn, gru, keras_file, lstm, mlp, resnet, rnn or "
            "transformer.",
        ),
        ("+model=gru", "Multiple values for model."),
    ],
)
def test_what_ends_in_a_traceback_elsewhere(plan_for, override, sentence):
    (fault,) = faults_of(plan_for, override)
    assert fault.startswith(sentence)


def test_glob_lists_the_files_of_a_group(plan_for):
    plan = plan_for("model=glob(*,exclude=[resnet,keras_file])")
    assert [job.settings.model_name for job in plan.jobs] == [
        "cnn",
        "gru",
        "lstm",
        "mlp",
        "rnn",
        "transformer",
    ]
    assert plan.varied == ("model",)


def test_hydras_plus_signs_leave_no_trace_on_a_key_that_is_there(plan_for):
    plan = plan_for("++units=4,8")
    assert plan.varied == ("units",)
    assert [job.overrides for job in plan.jobs] == [("units=4",), ("units=8",)]


def test_files_are_merged_once_for_hundreds_of_jobs(monkeypatch):
    merged = []
    load = ConfigLoaderImpl.load_configuration

    def counted(self, name, overrides, *arguments, **options):
        merged.append(overrides)
        return load(self, name, overrides, *arguments, **options)

    monkeypatch.setattr(ConfigLoaderImpl, "load_configuration", counted)
    plan = plan_sweep(["model=rnn,gru", "units=range(1,101)"], composer("train"))
    assert len(plan.jobs) == 200
    assert merged == [["model=rnn"], ["model=gru"]]


@pytest.mark.parametrize(
    ("select_by", "tasks", "sentence"),
    [
        (
            "r2",
            ["multiclass"],
            "select_by=r2 is not a score of task=multiclass: choose accuracy, ",
        ),
        ("accuracy", ["regression"], "select_by=accuracy is not a score of task=regression: choos"),
        ("mae", ["binary", "multilabel"], "select_by=mae is not a score of task=binary or task=m"),
    ],
)
def test_a_score_of_another_task_selects_no_run(plan_for, select_by, tasks, sentence):
    plan = plan_for(f"select_by={select_by}")
    with pytest.raises(SettingsError) as refused:
        plan.criterion(tasks)
    (fault,) = refused.value.faults
    assert fault.startswith(sentence)

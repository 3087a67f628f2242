import pytest

from pipeline.settings import SettingsError, flat_parameters, parse_settings, parse_stored


def test_defaults_are_the_reports_models(settings_for):
    lstm, rnn, cnn = (settings_for(f"model={name}") for name in ("lstm", "rnn", "cnn"))
    assert (lstm.model.layers, lstm.model.units, lstm.model.bidirectional) == (1, 64, True)
    assert (rnn.model.layers, rnn.model.units) == (5, 32)
    assert (cnn.model.filters, cnn.model.kernel_size, cnn.model.pooling) == ((32, 64), 3, "max")


def test_each_model_has_a_data_set_that_needs_no_download(settings_for):
    assert settings_for("model=cnn").dataset.name == "digits"
    assert all(settings_for(f"model={m}").dataset.name == "reviews" for m in ("rnn", "lstm", "gru"))


def test_buckets_are_on_unless_switched_off_and_off_in_runs_from_before_them(composed):
    settings = [
        parse_settings(composed()),
        parse_settings(composed("bucket=off")),
        parse_settings(composed("bucket=false")),
        parse_settings({key: value for key, value in composed().items() if key != "bucket"}),
    ]
    assert [one.texts.bucket for one in settings] == ["auto", "off", "off", "off"]
    with pytest.raises(SettingsError, match="bucket=yes must be auto or off"):
        parse_settings(composed("bucket=yes"))


def test_a_chosen_data_set_beats_the_models_own(settings_for):
    settings = settings_for("model=cnn", "dataset=cifar10")
    assert settings.dataset.name == "cifar10"
    assert settings.place.experiment == "cifar10"


def test_an_optimizer_brings_its_own_learning_rate_and_options(settings_for):
    settings = settings_for("optimizer=sgd")
    assert settings.training.learning_rate == 0.01
    assert settings.optimizer.momentum == 0.9
    settings = settings_for("optimizer=adamw", "++optimizer.clipnorm=1")
    assert settings.training.learning_rate == 0.001
    assert settings.optimizer.weight_decay == 0.004
    assert settings.optimizer.clipnorm == 1


@pytest.mark.parametrize("off", ["off", "false", "null"])
def test_early_stopping_can_be_off(settings_for, off):
    assert settings_for(f"early_stopping={off}").training.early_stopping is None


def test_early_stopping_is_a_patience(settings_for):
    assert settings_for("early_stopping=3").training.early_stopping == 3


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("units=-1", "units=-1 must be a whole number, 1 or more."),
        ("units=1.5", "units=1.5 must be a whole number, 1 or more."),
        ("units=abc", "units=abc must be a whole number, 1 or more."),
        ("units=true", "units=true must be a whole number, 1 or more."),
        ("units=null", "units is not set: it must be a whole number, 1 or more."),
        ("mask=1", "mask=1 must be true or false."),
        ("dropout=1.0", "dropout=1.0 must be a number from 0 to below 1."),
        ("learning_rate=0", "learning_rate=0 must be a number above 0."),
        ("learning_rate=nan", "learning_rate=nan must be a number above 0."),
        ("seed=4294967296", "seed=4294967296 must be a whole number from 0 to 4294967295."),
        ("padding=pst", "padding=pst must be post or pre (did you mean `post`?)."),
        ("early_stopping=0", "early_stopping=0 must be a whole number, 1 or more, or null."),
        (
            "dataset.name=foo",
            "dataset.name=foo must be cifar10, csv, digits, image_folder, npz, nusax ",
        ),
        (
            "class_weight={no:0}",
            "class_weight={no:0} must be balanced, or a mapping such as {yes:2,no:1}, each value a "
            "number above 0, or null.",
        ),
        ("clipnorm=0", "clipnorm=0 must be a number above 0 or null."),
        ("schedule.name=foo", "schedule.name=foo must be constant, cosine, exponential or plateau"),
        ("schedule.warmup_epochs=-1", "schedule.warmup_epochs=-1 must be a whole number, 0 or mo"),
        ("optimizer.name=foo", "optimizer.name=foo must be adadelta, adafactor, "),
        ("++optimizer.clipnorm=0", "optimizer.clipnorm=0 must be a number above 0 or null."),
        ("++optimizer.use_ema=1", "optimizer.use_ema=1 must be true or false."),
        ("++optimizer.epsilon=inf", "optimizer.epsilon=inf must be a number, 0 or more."),
        ("dataset.vocabulary_size=2", "dataset.vocabulary_size=2 must be a whole number, 3 or"),
    ],
)
def test_a_bad_value_is_one_sentence(composed, override, sentence):
    with pytest.raises(SettingsError) as refused:
        parse_settings(composed(override))
    assert len(refused.value.faults) == 1
    assert refused.value.faults[0].startswith(sentence)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("dataset.path=null", "dataset.path is not set: it must be the path of a file or folder."),
        ("dataset.path=''", "dataset.path= must be the path of a file or folder."),
        ("dataset.test_share=0", "dataset.test_share=0 must be a number above 0 and below 1."),
        ("dataset.classes=[a]", "dataset.classes=[a] must be a list such as [no,yes], each entry"),
        ("dataset.text_column=''", "dataset.text_column= must be text."),
    ],
)
def test_a_bad_value_for_own_data_is_one_sentence(composed, override, sentence):
    with pytest.raises(SettingsError) as refused:
        parse_settings(composed("dataset=csv", "dataset.path=a.csv", override))
    assert len(refused.value.faults) == 1
    assert refused.value.faults[0].startswith(sentence)


def test_a_path_of_own_data_is_absolute(composed, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    config = composed("dataset=csv", "dataset.path=2024/reviews.csv")
    assert config["dataset"]["path"] == f"{tmp_path}/2024/reviews.csv"
    config = composed("dataset=csv", "dataset.path=2024")
    assert parse_settings(config).dataset.path == f"{tmp_path}/2024"


def test_classes_are_words(settings_for):
    settings = settings_for("dataset=csv", "dataset.path=a.csv", "dataset.classes=[1,true,yes]")
    assert settings.dataset.classes == ("1", "true", "yes")


def test_filters_are_a_list_of_widths(composed):
    with pytest.raises(SettingsError, match=r"filters=\[\] must be a list such as \[16,32\]"):
        parse_settings(composed("model=cnn", "filters=[]"))
    with pytest.raises(SettingsError, match=r"filters=\[16,0\] must be a list"):
        parse_settings(composed("model=cnn", "filters=[16,0]"))


def test_every_fault_is_told(composed):
    with pytest.raises(SettingsError) as refused:
        parse_settings(composed("units=0", "epochs=0", "optimizer=sgd", "optimizer.momentum=2"))
    assert [fault.split("=")[0] for fault in refused.value.faults] == [
        "units",
        "epochs",
        "optimizer.momentum",
    ]


def test_a_server_needs_an_address(composed, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(SettingsError, match=r"tracking.uri is not set: .* http:// or https://"):
        parse_settings(composed("tracking=server"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1234")
    settings = parse_settings(composed("tracking=server"))
    assert settings.tracking.uri == "http://127.0.0.1:1234"


def test_classes_are_weighted_by_name(composed):
    config = composed("class_weight={0:2,true:0.5}")
    assert parse_settings(config).training.class_weight == {"0": 2, "true": 0.5}
    assert flat_parameters(config)["class_weight"] == "{0:2,true:0.5}"


def test_parameters_are_named_as_on_the_command_line(composed):
    parameters = flat_parameters(composed("model=gru", "dataset=nusax", "units=8"))
    assert parameters["model"] == "gru"
    assert parameters["dataset"] == "nusax"
    assert parameters["dataset.language"] == "indonesian"
    assert parameters["optimizer.beta_1"] == "0.9"
    assert parameters["units"] == "8"
    assert not {"experiment", "data_dir", "sweep", "tracking"} & set(parameters)


def test_a_stored_run_is_read_whatever_its_optimizer_was(composed):
    stored = composed()
    stored["optimizer"] = {"name": "frank", "gamma": 0.1}
    assert parse_stored(stored).optimizer.model_dump() == {"name": "frank", "gamma": 0.1}


def test_a_stored_run_of_before_an_option_came_is_read(composed):
    stored = composed("units=7")
    for key in ("workers", "rerun", "retry", "fail_fast", "dry_run", "bucket"):
        del stored[key]
    del stored["sweep"]["identity"]
    with pytest.raises(SettingsError):
        parse_settings(stored)
    del stored["schedule"]
    read = parse_stored(stored)
    assert read.model.units == 7
    assert read.schedule == parse_settings(composed()).schedule

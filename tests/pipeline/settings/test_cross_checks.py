import pytest

from pipeline.settings import SettingsError
from pipeline.settings.cross_checks import notes


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["model=cnn", "dataset=nusax"], "model=cnn reads images, but dataset=nusax holds texts"),
        (["model=lstm", "dataset=digits"], "model=lstm reads texts, but dataset=digits holds im"),
        (
            ["model=cnn", "kernel_size=9", "conv_padding=valid"],
            "kernel_size=9 is larger than the 8x8 feature map that convolution 1 reads",
        ),
        (
            ["model=cnn", "kernel_size=4", "conv_padding=valid"],
            "kernel_size=4 is larger than the 2x2 feature map that convolution 2 reads",
        ),
        (["model=cnn", "filters=[4,4,4,4]"], "filters=[4, 4, 4, 4] has 4 layers, but the featur"),
        (["dataset=nusax", "dataset.language=indonesia"], "dataset.language=indonesia must be"),
        (
            ["dataset=csv", "dataset.path=a.csv", "dataset.test_share=0.9"],
            "dataset.validation_share=0.1 and dataset.test_share=0.9 leave nothing to train on",
        ),
        (
            ["model=cnn", "dataset=image_folder", "dataset.path=a", "dataset.height=3"],
            "filters=[32, 64] has 2 layers, but the feature map is only 1x1 before pooling 2",
        ),
        (
            ["++optimizer.clipnorm=1", "++optimizer.clipvalue=2"],
            "optimizer.clipnorm=1.0 and optimizer.clipvalue=2.0 both clip gradients; Keras applies",
        ),
        (
            ["clipnorm=1", "++optimizer.clipvalue=2"],
            "clipnorm=1.0 and optimizer.clipvalue=2.0 both clip gradients",
        ),
        (
            ["schedule=cosine", "schedule.warmup_epochs=3", "epochs=3"],
            "schedule.warmup_epochs=3 must be below epochs=3: the learning rate is reached after",
        ),
        (
            ["schedule=plateau", "schedule.minimum=0.1"],
            "schedule.minimum=0.1 must not be above learning_rate=0.001.",
        ),
        (["loss=msee"], "loss: msee must be bce, bi"),
        (["metrics=[msee]"], "metrics: msee must be accuracy, auc, b"),
        (["callbacks=[early]"], "callbacks: early must be a function of your own, my_module:my_f"),
        (["train_size=2"], "train_size=2 must be from 3 (one example a class) to 1200"),
        (["train_size=1201"], "train_size=1201 must be from 3 (one example a class) to 1200"),
    ],
)
def test_what_cannot_work_is_one_sentence(settings_for, overrides, sentence):
    with pytest.raises(SettingsError) as refused:
        settings_for(*overrides)
    assert len(refused.value.faults) == 1
    assert refused.value.faults[0].startswith(sentence)


@pytest.mark.parametrize(
    "overrides",
    [
        ["model=cnn", "filters=[4,4,4]"],
        ["model=cnn", "kernel_size=8", "conv_padding=valid", "filters=[4]", "pooling=max"],
        ["model=cnn", "kernel_size=7", "conv_padding=same"],
        ["model=cnn", "dataset=cifar10", "filters=[4,4,4,4,4]"],
        ["train_size=1200"],
        ["dataset=csv", "dataset.path=a.csv", "train_size=1000000"],
    ],
)
def test_the_largest_that_fits_is_accepted_or_one_less(settings_for, overrides):
    if "kernel_size=8" in overrides:  # leaves 1x1, which 2x2 pooling cannot read
        with pytest.raises(SettingsError, match="only 1x1 before pooling 1"):
            settings_for(*overrides)
    else:
        settings_for(*overrides)


def test_the_reports_artefact_is_noted(settings_for):
    assert "mask=true skips it" in notes(settings_for("bidirectional=false"))[0]
    for cure in ("mask=true", "padding=pre", "bidirectional=true"):
        assert notes(settings_for("bidirectional=false", cure)) == []


def test_an_average_that_early_stopping_discards_is_noted(settings_for):
    average = ["++optimizer.use_ema=true", "mask=true"]
    assert "not their average" in notes(settings_for(*average, "early_stopping=2"))[0]
    assert notes(settings_for(*average)) == []
    frequent = "++optimizer.ema_overwrite_frequency=10"
    assert notes(settings_for(*average, "early_stopping=2", frequent)) == []

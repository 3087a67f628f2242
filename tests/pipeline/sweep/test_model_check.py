"""A model of the user's is built before anything trains, so that what is wrong with it is told."""

import sys

import pytest

from pipeline.settings import SettingsError
from pipeline.sweep.model_check import check_own_models
from tests.support.my_data import write_data
from tests.support.my_models import write_models


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    write_models(tmp_path)
    write_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])


def settings_of(plan_for, *overrides):
    return [job.settings for job in plan_for(*overrides).jobs]


def test_one_that_can_be_trained_and_checked_passes(plan_for):
    check_own_models(settings_of(plan_for, "model=my_models:textcnn", "width=2,3"))


def test_jobs_that_differ_only_in_seed_and_learning_rate_are_built_once(plan_for, tmp_path):
    (tmp_path / "my_layers.py").write_text(
        "import pathlib, keras\n"
        "def counted(data, *, width: int = 2) -> keras.Model:\n"
        "    with pathlib.Path('built').open('a') as file: file.write(f'{width} ')\n"
        "    layers = [keras.Input(data.input_shape), keras.layers.Flatten()]\n"
        "    return keras.Sequential([*layers, keras.layers.Dense(data.outputs, 'softmax')])\n"
    )
    varied = ["seed=0,1,2", "learning_rate=0.1,0.01", "width=2,3"]
    check_own_models(settings_of(plan_for, "model=my_layers:counted", "dataset=digits", *varied))
    assert (tmp_path / "built").read_text().split() == ["2", "3"]


@pytest.mark.parametrize("parity", ["optional", "off"])
def test_one_that_numpy_does_not_support_trains_if_parity_is_not_required(plan_for, parity):
    model = "model=faulty_models:unsupported"
    check_own_models(settings_of(plan_for, model, f"parity={parity}"))
    with pytest.raises(SettingsError, match=r"Lambda.*; parity=optional trains it without"):
        check_own_models(settings_of(plan_for, model))


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        ("raises", "model=faulty_models:raises raises RuntimeError: no 3"),
        ("ends", "model=faulty_models:ends raises EndedProgramError: SystemExit: 0"),
        ("lines", "model=faulty_models:lines raises ValueError: one two"),
        ("returns", "model=faulty_models:returns returns NoneType instead of a keras.Model."),
        ("shapes", "model=faulty_models:shapes gives outputs of shape (None, 7); the data need"),
        ("unsupported", "model=faulty_models:unsupported cannot be checked: "),
    ],
)
def test_one_that_cannot_is_one_sentence(plan_for, function, sentence):
    with pytest.raises(SettingsError) as refused:
        check_own_models(settings_of(plan_for, f"model=faulty_models:{function}"))
    (fault,) = refused.value.faults
    assert fault.startswith(sentence)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (
            ["model=lstm"],
            "model=lstm reads texts, but dataset=my_data:load holds arrays; choose model=mlp",
        ),
        (["model=mlp", "augment=true"], "augment=true changes texts and images, but dataset=my_d"),
        (
            ["model=cnn", "dataset.shape=image"],
            "filters=[32, 64] has 2 layers, but the feature map is only 1x1 before pooling 2; 1 o",
        ),
        (
            ["model=my_models:textcnn", "dataset.shape=image"],
            "model=my_models:textcnn reads texts, but dataset=my_data:load holds images; choose",
        ),
    ],
)
def test_a_model_that_does_not_fit_own_data_is_one_sentence(plan_for, overrides, sentence):
    with pytest.raises(SettingsError) as refused:
        check_own_models(settings_of(plan_for, "dataset=my_data:load", *overrides))
    (fault,) = refused.value.faults
    assert fault.startswith(sentence)


def test_a_built_in_model_that_fits_own_data_passes(plan_for):
    shapes = "dataset.shape=row,series,image"
    check_own_models(settings_of(plan_for, "dataset=my_data:load", "model=mlp", shapes))

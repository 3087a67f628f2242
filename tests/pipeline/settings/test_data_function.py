"""A data set of the user's: its arguments are settings, and its faults one sentence each."""

import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.cli.help_page import train_help
from pipeline.data import DatasetError, load
from pipeline.data.sharing import shared_data
from pipeline.settings import SettingsError, parse_stored
from pipeline.settings.composer import CONF
from pipeline.settings.data_function import data_function
from tests.support.my_data import write_data

OURS = "my_data:load"


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    """Start in a folder with the user's modules."""
    write_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])


def faults(plan_for, *overrides):
    with pytest.raises(SettingsError) as refused:
        plan_for(*overrides)
    return refused.value.faults


def test_its_arguments_are_swept_as_settings(plan_for):
    plan = plan_for("model=mlp", f"dataset={OURS}", "dataset.size=30,60", "dataset.limit=null")
    assert [job.settings.dataset.size for job in plan.jobs] == [30, 60]
    parameters = plan.jobs[0].parameters
    assert (parameters["dataset"], parameters["dataset.size"]) == (OURS, "30")
    assert parameters["dataset.standardize"] == "false"
    assert plan.varied == ("dataset.size",)
    loaded = [shared_data(**job.settings.data) for job in plan.jobs]
    assert [len(one.test) for one in loaded] == [10, 20], "null is not the default 60"
    assert loaded[0].fingerprints != loaded[1].fingerprints


def test_its_arguments_are_searched(search_for):
    search = search_for("model=mlp", f"dataset={OURS}", "dataset.noise=interval(0.1,0.9)")
    assert [one.key for one in search.space] == ["dataset.noise"]


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("dataset.size=3", "dataset.size=3 must be a whole number, 30 or more."),
        ("dataset.shape=sires", "dataset.shape=sires must be image, row or series (did you mean"),
        ("dataset.sizes=3", f"`dataset.sizes` is not an option of dataset={OURS} (did you mean"),
        ("dataset.validation_share=1", "dataset.validation_share=1 must be a number above 0"),
    ],
)
def test_its_settings_are_checked_before_anything_trains(plan_for, override, sentence):
    (fault,) = faults(plan_for, "model=mlp", f"dataset={OURS}", override)
    assert fault.startswith(sentence)


@pytest.mark.parametrize(
    ("dataset", "sentence"),
    [
        ("my_data:lode", "my_data has no such function (did you mean `load`?)."),
        ("my_date:load", "there is no module my_date in"),
        ("wrong_syntax:f", "wrong_syntax.py, line 1: '(' was never closed."),
        ("wrong_import:f", "wrong_import cannot be imported: No module named 'nowhere_to_be"),
        ("ending_import:f", "ending_import cannot be imported: EndedProgramError: SystemExit: 3."),
        ("faulty_data:untyped", "`size` has no type; write `size: int`, say."),
        ("faulty_data:clash", "`split_seed` is a setting of every data set already; rename it."),
    ],
)
def test_a_function_that_cannot_be_a_data_set_is_one_sentence(plan_for, dataset, sentence):
    (fault,) = faults(plan_for, f"dataset={dataset}")
    assert fault.startswith(f"dataset={dataset}")
    assert sentence in fault


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        ("raises", "dataset=faulty_data:raises raises RuntimeError: no 3"),
        ("nothing", "dataset=faulty_data:nothing returns None: does the function lack a `return`?"),
        (
            "lengths",
            "what dataset=faulty_data:lengths returns: train has 4 inputs and 3 labels: ex",
        ),
        ("one_class", "what dataset=faulty_data:one_class returns has 1 class ('0'): expected at"),
        ("ends", "dataset=faulty_data:ends raises EndedProgramError: SystemExit: 0"),
        ("lines", "dataset=faulty_data:lines raises ValueError: one two"),
    ],
)
def test_what_it_returns_is_checked(plan_for, function, sentence):
    (job,) = plan_for("model=mlp", f"dataset=faulty_data:{function}").jobs
    with pytest.raises(DatasetError) as refused:
        load(**job.settings.data)
    assert str(refused.value).startswith(sentence)


def test_the_working_directory_stays_the_same(plan_for, tmp_path):
    (job,) = plan_for("model=mlp", "dataset=faulty_data:moves").jobs
    load(**job.settings.data)
    assert Path.cwd() == tmp_path


def test_its_texts_are_read_as_all_texts_are(plan_for):
    (job,) = plan_for("dataset=my_data:texts", "dataset.max_length=2", "padding=pre").jobs
    loaded = load(**job.settings.data)
    assert (loaded.kind, loaded.preprocessing.padding) == ("text", "pre")
    assert loaded.train.inputs.shape == (40, 2)
    assert loaded.train.texts[0] == "a good word"


def test_its_help_is_its_signature_and_docstring():
    page = train_help(CONF, {"model": "mlp", "dataset": OURS})
    shown = [" ".join(line.split()) for line in page.splitlines()]
    assert {
        "dataset.size=60 number of examples",
        "dataset.noise=0.5 spread of a cloud",
        "dataset.shape=row image, row or series",
    } <= set(shown)
    assert "dataset.split_seed=0" in page


def test_settings_of_a_stored_run_need_no_function(plan_for, tmp_path):
    (job,) = plan_for("model=mlp", f"dataset={OURS}", "dataset.shape=series").jobs
    (tmp_path / "my_data.py").unlink()
    sys.modules.pop("my_data")
    data_function.cache_clear()
    assert parse_stored(job.values).data == job.settings.data
    with pytest.raises(DatasetError, match="there is no module my_data"):
        load(**job.settings.data)


def test_several_inputs_are_standardized_apart(plan_for):
    (job,) = plan_for("model=mlp", "dataset=my_data:several").jobs
    loaded = load(**job.settings.data)
    assert loaded.kind == "inputs"
    assert loaded.train.inputs["ids"].dtype == np.int32
    assert loaded.preprocessing.describe() == "row: arrays 5 of float32; ids: arrays 2 of int32"

"""A model function of the user's: its arguments are settings, and its faults one sentence each."""

import sys

import pytest

from pipeline.cli.help_page import train_help
from pipeline.job.function_sources import sources
from pipeline.job.identity import code_versions, identity
from pipeline.settings import SettingsError
from pipeline.settings.composer import CONF
from pipeline.settings.model_function import model_function
from tests.support.my_models import write_models

OURS = "my_models:textcnn"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Start in a folder with the user's modules."""
    write_models(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


def faults(plan_for, *overrides):
    with pytest.raises(SettingsError) as refused:
        plan_for(*overrides)
    return refused.value.faults


def test_its_arguments_are_swept_as_settings(plan_for):
    plan = plan_for(f"model={OURS}", "width=2,3,5", "padding=pre")
    assert [job.settings.model.width for job in plan.jobs] == [2, 3, 5]
    parameters = plan.jobs[0].parameters
    assert (parameters["model"], parameters["width"], parameters["features"]) == (OURS, "2", "8")
    assert plan.jobs[0].settings.data["padding"] == "pre"
    assert plan.varied == ("width",)
    assert plan.jobs[0].overrides == (f"model={OURS}", "width=2", "padding=pre")


def test_a_tuple_may_have_a_range_or_be_none_and_is_given_as_a_list(folder, plan_for):
    (folder / "tuples.py").write_text(
        "from typing import Annotated\n"
        "from pydantic import Field\n"
        "Widths = Annotated[tuple[int, ...], Field(min_length=2)]\n"
        "def net(data, *, widths: Widths = (3, 4), more: tuple[float, ...] | None = None): ...\n"
    )
    (job,) = plan_for("model=tuples:net", "widths=[5,6]", "more=[0.5]").jobs
    assert (job.settings.model.widths, job.settings.model.more) == ((5, 6), (0.5,))
    (fault,) = faults(plan_for, "model=tuples:net", "widths=[5]")
    assert fault.startswith("widths=[5] must be a list such as [16,32], each entry a whole number")


def test_it_is_swept_beside_others(plan_for):
    plan = plan_for(f"model=lstm,{OURS}")
    assert [job.overrides for job in plan.jobs] == [("model=lstm",), (f"model={OURS}",)]


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("width=0", "width=0 must be a whole number, 1 or more."),
        ("features=x", "features=x must be a whole number."),
        ("activation=rely", "activation=rely must be relu or tanh (did you mean `relu`?)."),
        ("widht=3", f"`widht` is not an option of model={OURS} (did you mean `width`?)."),
        ("units=3", f"`units` is an option of model=gru, lstm or rnn, not of model={OURS}."),
        ("dataset=digits", f"model={OURS} reads texts, but dataset=digits holds images;"),
    ],
)
def test_its_settings_are_checked_before_anything_trains(plan_for, override, sentence):
    (fault,) = faults(plan_for, f"model={OURS}", override)
    assert fault.startswith(sentence)


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("my_models:textcn", "has no such function (did you mean `textcnn`?)."),
        ("my_model:textcnn", "there is no module my_model in"),
        ("wrong_syntax:f", "wrong_syntax.py, line 1: '(' was never closed."),
        ("wrong_import:f", "wrong_import cannot be imported: No module named 'nowhere_to_be"),
        ("faulty_models:untyped", "`width` has no type; write `width: int`, say."),
        ("faulty_models:odd", "an annotation cannot be used"),
        ("faulty_models:clash", "`seed` is a setting of every run already; rename it."),
        ("faulty_models:nothing", "takes no argument `data`; write `def nothing(data, ...)`."),
        ("faulty_models:hidden", "`**options` hides which settings there are"),
        ("faulty_models:unfit", "the default of `width` does not fit its type"),
    ],
)
def test_a_function_that_cannot_be_a_model_is_one_sentence(plan_for, model, sentence):
    (fault,) = faults(plan_for, f"model={model}")
    assert fault.startswith(f"model={model}")
    assert sentence in fault


def test_its_help_is_its_signature_and_docstring():
    page = train_help(CONF, {"model": OURS})
    shown = [" ".join(line.split()) for line in page.splitlines()]
    assert {
        "width=3 words that a feature looks at",
        "features=8 how many there are, of any kind",
        "activation=relu relu or tanh",
    } <= set(shown)


def test_its_own_files_are_part_of_the_identity_and_no_others(folder):
    assert list(sources(model_function(OURS))) == ["my_layers.py", "my_models.py"]

    def identified():
        code_versions.cache_clear()
        return identity({"model": OURS}, {}), identity({"model": "lstm"}, {})

    before = identified()
    (folder / "my_layers.py").write_text("def pooled(): ...\n", encoding="utf-8")
    (folder / "faulty_models.py").write_text("", encoding="utf-8")
    after = identified()
    assert (before[0] != after[0], before[1] == after[1]) == (True, True)


def test_a_file_of_settings_may_name_it(folder, plan_for):
    from pipeline.settings.composer import composer
    from pipeline.sweep.plan import plan_sweep

    (folder / "my_conf/experiment").mkdir(parents=True)
    (folder / "my_conf/experiment/mine.yaml").write_text(
        f"# @package _global_\ndefaults:\n  - override /model: {OURS}\n  - _self_\nwidth: 4\n"
    )
    source = composer("train", str(folder / "my_conf"))
    (job,) = plan_sweep(["+experiment=mine"], source).jobs
    assert (job.settings.model_name, job.settings.model.width) == (OURS, 4)

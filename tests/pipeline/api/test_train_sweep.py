import os
import sys

import pytest
from hydra import compose, initialize_config_dir

import pipeline
from pipeline.settings.composer import CONF
from tests.support.my_models import write_models


def test_a_dry_run_gives_the_planned_jobs(in_folder, capsys):
    table = pipeline.train("model=gru", "train_size=30", units=[2, 4], dry_run=True)
    assert table["units"].to_list() == [2, 4]
    assert table["status"].to_list() == ["new", "new"]
    assert "2 runs: model=gru train_size=30 units=2,4" in capsys.readouterr().out
    assert list(in_folder.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "reasons"),
    [
        ({"units": [2, -1], "epochs": 0}, ["units=-1 must", "epochs=0 must"]),
        ({"unit": 3}, ["did you mean `units`"]),
        ({"model": "lsmt"}, ["model=lsmt"]),
        pytest.param(
            {"dataset": "nusax", "data_dir": "none", "dataset.language": "klingon"},
            ["klingon"],
            marks=pytest.mark.slow,
        ),
        pytest.param({"hydra/launcher": "nothing"}, ["nothing"], marks=pytest.mark.slow),
    ],
)
def test_every_fault_is_a_sentence_of_one_exception(in_folder, settings, reasons):
    with pytest.raises(pipeline.PipelineError) as refused:
        pipeline.train(**settings)
    assert all(reason in str(refused.value) for reason in reasons), str(refused.value)
    assert list(in_folder.iterdir()) == []


def test_the_callers_own_use_of_hydra_is_not_disturbed(in_folder):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        pipeline.train("units=2", "train_size=30", dry_run=True)
        assert compose("train", ["units=5"]).units == 5


def test_a_module_that_was_edited_is_imported_again(in_folder, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    write_models(in_folder)
    module = in_folder / "my_models.py"
    module.write_text("def tiny(data, *, width: int = 1): ...\n")
    with pytest.raises(pipeline.PipelineError, match=r"width=0\.5"):
        pipeline.train(model="my_models:tiny", width=0.5, dry_run=True)
    module.write_text("def tiny(data, *, depth: int = 1): ...\n")
    os.utime(module, (2e9, 2e9))
    with pytest.raises(pipeline.PipelineError, match=r"depth=0\.5"):
        pipeline.train(model="my_models:tiny", depth=0.5, dry_run=True)

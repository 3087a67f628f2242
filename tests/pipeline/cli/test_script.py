import sys

import pytest

from pipeline.cli import script


@pytest.fixture
def call_script(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["/usr/bin/parity-pipeline", *arguments])
        script.main()

    return call


def test_it_lists_the_commands(call_script, capsys):
    call_script()
    listed = capsys.readouterr().out
    for name in ("train", "evaluate", "parity", "predict", "report", "runs", "fetch", "move", "ui"):
        assert f"\n  {name} " in listed
    assert "errors" not in listed


def test_a_command_is_run_and_shown_as_it_is_typed(call_script, capsys):
    call_script("runs", "--help")
    assert capsys.readouterr().out.startswith("parity-pipeline runs [")


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("other.py", ["trian"], "`trian` must be evaluate, fetch,"),
        ("pipeline.py", ["train"], "pipeline.py has the name of a package of this program"),
    ],
)
def test_what_cannot_work_is_refused(call_script, tmp_path, capsys, name, arguments, sentence):
    (tmp_path / name).write_text("")
    with pytest.raises(SystemExit) as end:
        call_script(*arguments)
    assert end.value.code == 2
    assert sentence in capsys.readouterr().err

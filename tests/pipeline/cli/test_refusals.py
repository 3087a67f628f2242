"""What a command line asks for and there is not: one sentence, exit code 2, nothing left."""

import importlib
import sys

import pytest

TINY = ["model=lstm", "units=2", "epochs=1", "train_size=10"]


@pytest.fixture
def refusal(tmp_path, monkeypatch, capsys):
    """Run a command in an empty folder of its own; gives what it printed when it was refused."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "KERAS_BACKEND"):
        monkeypatch.delenv(name, raising=False)

    def refused(command, *arguments):
        monkeypatch.setattr(sys, "argv", [command, *arguments])
        with pytest.raises(SystemExit) as end:
            importlib.import_module(f"pipeline.{command}").main()
        assert end.value.code == 2
        assert list(tmp_path.iterdir()) == []
        return capsys.readouterr().err.splitlines()

    return refused


@pytest.mark.parametrize(
    ("command", "flag", "sentence"),
    [
        ("runs", "--cvs", "`--cvs` is not an option of this command (did you mean `--csv`?)."),
        ("move", "--dry-run", "`--dry-run` is not an option of this command."),
        ("train", "--dry-run", "`--dry-run` is not an option of this command"),
        ("fetch", "--config-dir=nowhere", "--config-dir nowhere is not a folder."),
        ("train", "--config-dir=nowhere", "--config-dir nowhere is not a folder."),
        ("parity", "hydra.mode=RUN", "`hydra.mode` is not an option of this command."),
        ("parity", "run_id=a,b", "run_id=a,b must be the id of a run, the beginning of one"),
        ("parity", "diagnose=true,false", "diagnose=true,false names several values; this command"),
        ("report", "sweep=[a,b]", "sweep=[a,b] names several; a report is about one."),
        ("report", "study=[a,b]", "study=[a,b] names several; a report is about one."),
    ],
)
def test_every_command_refuses_what_it_does_not_know(refusal, command, flag, sentence):
    (line,) = refusal(command, flag)
    assert line.startswith(sentence)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["hydra/sweeper=basic"], "hydra/sweeper=basic must be pipeline or optuna"),
        (
            ["hydra/launcher=basic", "hydra.job.chdir=true"],
            "hydra.job.chdir=true is not supported: jobs work where the command is started.",
        ),
        (
            ["units=4,8", "hydra.sweeper.n_jobs=2"],
            "`hydra.sweeper.n_jobs` is not an option; hydra.sweeper has",
        ),
        (["hydra/launcher=nope"], "hydra/launcher=nope must be basic"),
        (["units=glob(*)"], "units=glob(*): glob(...) lists the files of a group"),
        (["units=${oc.env:NOPE}"], "units=${oc.env:NOPE} cannot be resolved"),
        (["dataset.path=my (1).csv"], "`dataset.path=my (1).csv` cannot be read"),
        (["--config-path", "."], "--config-path would replace the files of this program"),
    ],
)
def test_training_is_refused(refusal, arguments, sentence):
    (line,) = refusal("train", *TINY, *arguments)
    assert line.startswith(sentence)


def test_another_backend_of_keras_is_refused(refusal, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    (line,) = refusal("train", *TINY)
    assert line == "KERAS_BACKEND=jax is not supported: models are trained with TensorFlow."

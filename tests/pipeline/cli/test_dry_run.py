import sys

import pytest

from pipeline.train import main


@pytest.mark.parametrize("mode", ["hydra.mode=RUN", "--run", "-m"])
def test_a_dry_run_never_trains_whatever_hydras_mode_says(tmp_path, monkeypatch, capsys, mode):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(sys, "argv", ["train", "model=lstm", "units=2", mode, "dry_run=true"])
    main()
    assert "1 run: model=lstm units=2" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []

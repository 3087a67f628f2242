"""The package as `pip install` leaves it, used away from the repository."""

import subprocess
import sys

import pytest

from pipeline.tracking.store import open_local
from tests.support.commands import environment
from tests.support.installed import call_installed

pytestmark = pytest.mark.slow

SMALL = ["train_size=60", "epochs=1", "seed=0"]


def contents(site):
    return {path for path in site.rglob("*") if "__pycache__" not in path.parts}


@pytest.mark.long  # test_own_everything has a wheel and a study, too
def test_a_study_trains_and_reports_where_the_user_stands(installed, tmp_path):
    before = contents(installed)
    arguments = ["-m", "+study=lstm_units", "dataset=reviews", "units=4,6", *SMALL]
    out = call_installed(installed, tmp_path, "pipeline.train", *arguments)
    assert f"sqlite:///{tmp_path}/mlruns/mlflow.db" in out
    assert [path.name for path in tmp_path.iterdir()] == ["mlruns"]
    assert contents(installed) == before
    store = open_local(tmp_path)
    experiment = store.client.get_experiment_by_name("lstm_units")
    trained = store.client.search_runs([experiment.experiment_id], "tags.parity = 'exact'")
    assert sorted(run.data.params["units"] for run in trained) == ["4", "6"]
    assert list(tmp_path.glob("mlruns/artifacts/**/report.html"))
    run_id = trained[0].info.run_id
    assert "exact" in call_installed(installed, tmp_path, "pipeline.parity", f"run_id={run_id}")
    assert "enak" in call_installed(
        installed, tmp_path, "pipeline.predict", f"run_id={run_id}", "enak"
    )


def test_the_code_and_the_configuration_are_the_installed_ones(installed, tmp_path):
    code = (
        "import pipeline, pipeline.settings.composer as c, hydra_plugins.pipeline_sweeper as s;"
        "print(pipeline.__file__, c.CONF, s.__file__, sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(installed)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(line.startswith(str(installed)) for line in done.stdout.splitlines())
    assert "model=" in call_installed(installed, tmp_path, "pipeline.train", "--help")


def test_says_which_pythons_it_is_for(installed):
    (metadata,) = installed.glob("*.dist-info/METADATA")
    text = metadata.read_text(encoding="utf-8")
    assert "Requires-Python: >=3.11" in text
    for version in ("3.11", "3.12", "3.13"):
        assert f"Classifier: Programming Language :: Python :: {version}" in text

import pytest

from pipeline.errors import StoreError
from pipeline.job.brought import brought


def test_a_run_that_is_not_there_is_named_by_its_setting(plan_for, stocked, monkeypatch):
    monkeypatch.chdir(stocked)
    (job,) = plan_for("initial_weights=51751378").jobs
    with pytest.raises(StoreError, match=r"^initial_weights=51751378 is not a run in sqlite:"):
        brought(job.settings)

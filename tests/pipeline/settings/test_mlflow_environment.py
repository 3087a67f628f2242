import pytest


@pytest.mark.parametrize(
    ("uri", "kind"), [("http://host:5000", "server"), ("sqlite:///x.db", "local"), (None, "local")]
)
def test_an_address_selects_the_server(plan_for, monkeypatch, uri, kind):
    if uri is None:
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    else:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    plan = plan_for()
    assert plan.jobs[0].settings.tracking.kind == kind
    assert getattr(plan.jobs[0].settings.tracking, "uri", uri) == uri
    assert any(note.startswith("MLFLOW_TRACKING_URI=sqlite") for note in plan.notes) == (
        uri == "sqlite:///x.db"
    )


def test_the_experiment_is_named_where_no_setting_does(plan_for, monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "theirs")
    assert plan_for().jobs[0].settings.place.experiment == "theirs"
    assert plan_for("experiment=mine").jobs[0].settings.place.experiment == "mine"


def test_what_has_no_effect_is_said(plan_for, monkeypatch):
    monkeypatch.setenv("MLFLOW_RUN_ID", "abc")
    assert (
        "MLFLOW_RUN_ID=abc is not used: an interrupted run is continued by the same command."
        in (plan_for().notes)
    )

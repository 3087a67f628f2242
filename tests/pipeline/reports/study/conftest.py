import pytest

from tests.support.study_runs import PARAMS, TAGS


@pytest.fixture
def log_run(store):
    """Log a finished run to a real store, as training does."""

    def log(score, *, experiment="here", status="FINISHED", tags=None, **params):
        client = store.client
        params = {**PARAMS, **{key: str(value) for key, value in params.items()}}
        run = client.create_run(
            store.experiment(experiment).experiment_id,
            tags={**TAGS, **(tags or {})},
            run_name=" ".join(f"{key}={params[key]}" for key in ("units", "seed")),
        )
        for key, value in params.items():
            client.log_param(run.info.run_id, key, value)
        if status == "FINISHED":
            client.log_metric(run.info.run_id, "test/f1_macro", score)
            for step, loss in enumerate((1.0, 0.8, 0.9), start=1):
                client.log_metric(run.info.run_id, "loss/validation", loss, step=step)
        client.set_terminated(run.info.run_id, status)
        return run.info.run_id

    return log

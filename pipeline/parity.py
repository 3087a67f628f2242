"""python -m pipeline.parity run_id=...: check a finished run again, or all of an experiment."""

from pipeline.cli.command import Given, command
from pipeline.errors import CommandFailedError
from pipeline.settings import SettingsError, parse_tracking


@command("parity")
def main(given: Given) -> None:
    """Check the chosen runs one after the other; fail unless each one is exact."""
    values = given.values
    _check(values["run_id"], values["experiment"])
    tracking = parse_tracking(values["tracking"])

    # Here rather than above, so that a faulty command is answered without loading MLflow.
    from pipeline.cli.parity_outcome import show_diagnosis, show_parity
    from pipeline.reports.run.run_page import write_run_page
    from pipeline.tracking.queries import finished_runs
    from pipeline.tracking.store import open_store
    from pipeline.tracking.tracked_run import TrackedRun
    from pipeline.verification.check import verify_run

    store = open_store(**tracking.model_dump())
    passed = True
    for run in finished_runs(store, values["run_id"], values["experiment"]):
        tracked = TrackedRun(store.client, run.info.run_id)
        outcome = verify_run(tracked, values["data_dir"])
        write_run_page(tracked)
        show_parity(run.info.run_name, run.info.run_id, outcome)
        passed &= outcome.passed
        if values["diagnose"]:
            from pipeline.verification.diagnosis import diagnose_run, guilty

            checks = diagnose_run(store.client, run.info.run_id, values["data_dir"])
            show_diagnosis(checks, guilty(checks))
    if not passed:
        raise CommandFailedError


def _check(run_id: str | None, experiment: str | None) -> None:
    if (run_id is None) == (experiment is None):
        given = "neither is" if run_id is None else "both are"
        raise SettingsError([f"run_id=... or experiment=... is needed, one of them; {given} set."])


if __name__ == "__main__":
    main()

"""python -m pipeline.parity run_id=...: check a finished run, or all of an experiment, again."""

from pipeline.cli.command import RUN_CHOICE, Given, command
from pipeline.cli.console import print_line
from pipeline.errors import CommandFailedError
from pipeline.settings import parse_runs_choice, parse_tracking


@command("parity", verbatim=RUN_CHOICE)
def main(given: Given) -> None:
    """Check the selected runs one after another; fail if one does not pass.

    A run that its settings exempt, and whose model NumPy does not support, does not fail.
    """
    values = given.values
    chosen = parse_runs_choice(values)
    tracking = parse_tracking(values["tracking"])

    # Imported here, so that a faulty command is refused without loading MLflow.
    from pipeline.cli.parity_outcome import show_diagnosis, show_parity
    from pipeline.reports.run.run_page import write_run_page
    from pipeline.tracking.run_choice import choose_runs
    from pipeline.tracking.store import existing_store
    from pipeline.tracking.tracked_run import TrackedRun
    from pipeline.verification.check import verify_run

    store = existing_store(**tracking.model_dump())
    logged, passed = not store.read_only, True
    for run_id in choose_runs(store, chosen):
        tracked = TrackedRun(store.client, run_id)
        outcome = verify_run(tracked, values["data_dir"], logged=logged)
        if logged:
            write_run_page(tracked)
        show_parity(store.client.get_run(run_id).info.run_name, run_id, outcome)
        passed &= outcome.accepted
        if values["diagnose"] and outcome.agreement is not None:
            from pipeline.verification.diagnosis import diagnose_run, guilty

            checks = diagnose_run(store.client, run_id, values["data_dir"], logged=logged)
            show_diagnosis(checks, guilty(checks))
    if not logged:
        print_line(f"Nothing was logged: {store.folder} cannot be written to.")
    if not passed:
        raise CommandFailedError


if __name__ == "__main__":
    main()

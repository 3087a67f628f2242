"""python -m pipeline.move to=http://host:5000: copy runs to an MLflow server, complete."""

from rich.progress import track

from pipeline.cli.command import Given, command
from pipeline.cli.console import console, print_line
from pipeline.errors import StoreAwayError, StoreError, first_line
from pipeline.settings import SettingsError, parse_tracking


@command("move")
def main(given: Given) -> None:
    """Copy every finished run that the target lacks; the source is only read."""
    values = given.values
    source_place = parse_tracking(values["tracking"])
    to = _checked(values["to"])

    # Imported here, so that a faulty command is refused without loading MLflow.
    from mlflow.exceptions import MlflowException

    from pipeline.tracking.move_runs import move_run, plan_move
    from pipeline.tracking.store import existing_store, open_server

    target, source = open_server(to), existing_store(**source_place.model_dump())
    try:
        plan = plan_move(source, target, values["experiment"])
        silent = not console.is_terminal
        for one in track(
            plan.moves, "moving runs", console=console, transient=True, disable=silent
        ):
            move_run(source, target, one)
    except (MlflowException, OSError, StoreAwayError) as error:
        raise StoreError(
            f"to={to}: {first_line(error)} To resume, run the same command."
        ) from error
    counts = f"{len(plan.moves)} runs moved, {plan.present} already there"
    if plan.ongoing:
        counts += f", {plan.ongoing} still running and skipped"
    print_line(f"{counts}: {target.uri}")


def _checked(to: object) -> str:
    if not to:
        raise SettingsError(["to=... is needed: the address of an MLflow server."])
    try:
        return str(parse_tracking({"kind": "server", "uri": to}).model_dump()["uri"])
    except SettingsError as error:
        faults = [fault.replace("tracking.uri", "to") for fault in error.faults]
        raise SettingsError(faults) from error


if __name__ == "__main__":
    main()

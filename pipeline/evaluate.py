"""python -m pipeline.evaluate run_id=... dataset=csv dataset.path=...: score runs on other data."""

from pipeline.cli.command import RUN_CHOICE, Given, command
from pipeline.cli.console import print_line
from pipeline.errors import CommandFailedError
from pipeline.settings import parse_tracking


@command("evaluate", verbatim=(*RUN_CHOICE, "name"))
def main(given: Given) -> None:
    """Evaluate the chosen runs; fail if Keras and NumPy do not agree on the data."""
    values = given.values
    tracking = parse_tracking(values["tracking"])

    # Imported here, so that the help page does not wait for MLflow.
    from pipeline.cli.evaluation_table import show_evaluations
    from pipeline.evaluation.evaluate_chosen import chosen_data, chosen_runs, evaluate_chosen
    from pipeline.tracking.store import existing_store

    choices, data = chosen_runs(values), chosen_data(values)
    store = existing_store(**tracking.model_dump())
    evaluations = evaluate_chosen(store, choices, data)
    show_evaluations(data.name, evaluations)
    if store.read_only:
        print_line(f"Nothing was logged: {store.folder} cannot be written to.")
    if not all(one.parity.accepted for one in evaluations):
        raise CommandFailedError


if __name__ == "__main__":
    main()

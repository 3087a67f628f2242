"""python -m pipeline.fetch run_id=... to=...: download a run's weights and verify them."""

from pathlib import Path

from pipeline.cli.command import RUN_CHOICE, Given, command
from pipeline.cli.console import print_faults, print_line
from pipeline.errors import CommandFailedError
from pipeline.settings import parse_run_choice, parse_tracking, refuse
from pipeline.tracking import names


@command("fetch", verbatim=RUN_CHOICE)
def main(given: Given) -> None:
    """Download `weights/` into a folder; delete the files again if they fail the parity card."""
    values = given.values
    to = _checked(values["run_id"], values["to"])
    chosen = parse_run_choice(values)
    tracking = parse_tracking(values["tracking"])

    # Imported here, so that a faulty command is refused without loading MLflow.
    from pipeline.tracking.run_choice import choose_run
    from pipeline.tracking.store import existing_store
    from pipeline.verification.weights_download import download_weights
    from scratch_forward import ArchiveError, UnsupportedModelError
    from scratch_forward.card import UNPROVEN

    store = existing_store(**tracking.model_dump())
    run_id = choose_run(store, chosen)
    try:
        classifier = download_weights(store.client, run_id, to)
    except UnsupportedModelError as error:
        print_faults(
            [f"run_id={run_id} has no parity card: NumPy does not support {error.listed}."]
        )
        raise CommandFailedError from error
    except ArchiveError as error:
        print_faults([f"run_id={run_id}: {error}"])
        raise CommandFailedError from error
    count = classifier.model.count_params()
    print_line(f"{to / names.WEIGHTS}: {count:,} weights, parity card passed")
    if not classifier.preprocessing_proven:
        print_line(UNPROVEN)


def _checked(run_id: str | None, to: str | None) -> Path:
    given = {"run_id": run_id, "to": to}
    faults = [f"{name}=... is needed." for name, value in given.items() if not value]
    if to and Path(to).exists() and (not Path(to).is_dir() or any(Path(to).iterdir())):
        faults.append(f"to={to} exists and is not an empty folder; name another.")
    refuse(faults)
    return Path(str(to))


if __name__ == "__main__":
    main()

"""python -m pipeline.predict run_id=... "a text": predict with a run's model, in NumPy only."""

from pipeline.cli.answers import answer
from pipeline.cli.command import RUN_CHOICE, Given, command
from pipeline.cli.console import print_faults
from pipeline.settings import SettingsError, parse_run_choice, parse_tracking
from pipeline.tracking.run_choice import choose_run
from pipeline.tracking.store import locate_store
from pipeline.tracking.weights import weights_folder
from scratch_forward import ArchiveError, Classifier, UnsupportedModelError
from scratch_forward.card import UNPROVEN
from scratch_forward.preprocessing import PreprocessingError

_SETTINGS = ("run_id=", "sweep=", "experiment=", "select_by=", "tracking=", "tracking.")


@command("predict", only=_SETTINGS, verbatim=RUN_CHOICE)
def main(given: Given) -> None:
    """Predict for the texts, image files or CSV files on the command line."""
    values, asked = given.values, given.words
    if values["run_id"] is None or not asked:
        raise SettingsError(['run_id=... and something to answer are needed, such as "a text".'])
    store = locate_store(**parse_tracking(values["tracking"]).model_dump())
    run_id = choose_run(store, parse_run_choice(values))
    try:
        with weights_folder(run_id, store) as folder:
            classifier = Classifier.load(folder, verify=True)
        if not classifier.preprocessing_proven:
            print_faults([f"note: {UNPROVEN}"])
        answer(classifier, asked)
    except UnsupportedModelError as error:
        raise SettingsError(
            [f"run_id={run_id} needs Keras to answer: NumPy does not support {error.listed}."]
        ) from error
    except (ArchiveError, PreprocessingError) as error:
        raise SettingsError([str(error)]) from error


if __name__ == "__main__":
    main()

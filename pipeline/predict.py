"""python -m pipeline.predict run_id=... "a text": ask a run's model, through NumPy alone."""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.cli.command import RUN_CHOICE, Given, command
from pipeline.data.printable import printable
from pipeline.data.published.download import read_bytes
from pipeline.data.text_csv import records
from pipeline.data.user.image_files import decode
from pipeline.settings import SettingsError, parse_run_choice, parse_tracking
from pipeline.tracking.run_choice import choose_run
from pipeline.tracking.store import locate_store
from pipeline.tracking.weights import weights_folder
from scratch_forward import ArchiveError, Classifier, Prediction
from scratch_forward.preprocessing import ImagePreprocessing, PreprocessingError

_SETTINGS = ("run_id=", "sweep=", "experiment=", "select_by=", "tracking=", "tracking.")


@command("predict", only=_SETTINGS, verbatim=RUN_CHOICE)
def main(given: Given) -> None:
    """Answer the texts, the image files, or the CSV of texts on the command line."""
    values, asked = given.values, given.words
    if values["run_id"] is None or not asked:
        raise SettingsError(['run_id=... and something to answer are needed, such as "a text".'])
    store = locate_store(**parse_tracking(values["tracking"]).model_dump())
    run_id = choose_run(store, parse_run_choice(values))
    try:
        with weights_folder(run_id, store) as folder:
            classifier = Classifier.load(folder, verify=True)
        _answer(classifier, asked)
    except (ArchiveError, PreprocessingError) as error:
        raise SettingsError([str(error)]) from error


def _answer(classifier: Classifier, asked: Sequence[str]) -> None:
    if isinstance(classifier.preprocessing, ImagePreprocessing):
        images = np.stack([_read_image(Path(path), classifier.preprocessing) for path in asked])
        _show(asked, classifier(images))
    elif len(asked) == 1 and asked[0].endswith(".csv"):
        texts = _read_texts(Path(asked[0]))
        _write_csv(texts, classifier(texts), classifier.preprocessing.classes)
    else:
        _show(asked, classifier(asked))


def _read_texts(path: Path) -> list[str]:
    return [record["text"] for _, record in records(path, read_bytes(path), ("text",))]


def _read_image(path: Path, preprocessing: ImagePreprocessing) -> np.ndarray:
    """An image file in the size, the channels and the range of values that the model reads."""
    pixels = decode(read_bytes(path), path, preprocessing.input_shape).pixels
    brightest = 1 / preprocessing.scale
    return np.rint(pixels / 255 * brightest).astype(np.uint8)


def _show(asked: Sequence[str], answers: Sequence[Prediction]) -> None:
    for word, answer in zip(asked, answers, strict=True):
        shares = "  ".join(f"{name} {share:.4f}" for name, share in answer.probabilities.items())
        print(printable(f"{answer.class_name}\t{shares}\t{word}"))


def _write_csv(texts: Sequence[str], answers: Sequence[Prediction], classes: Sequence[str]) -> None:
    rows: list[dict[str, Any]] = [
        {"text": text, "class": answer.class_name, **answer.probabilities}
        for text, answer in zip(texts, answers, strict=True)
    ]
    table = csv.DictWriter(sys.stdout, ["text", "class", *classes], lineterminator="\n")
    table.writeheader()
    table.writerows(rows)


if __name__ == "__main__":
    main()

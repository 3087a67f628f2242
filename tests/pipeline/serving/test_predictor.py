"""What the model that MLflow serves checks when it is loaded."""

import json

import pytest
from mlflow.pyfunc import PythonModelContext

from pipeline.serving.predictor import ScratchClassifier
from scratch_forward.errors import ArchiveError
from tests.support import archives
from tests.support.classifiers import PREPROCESSING, text_model, write_classifier


def started(folder):
    served = ScratchClassifier()
    served.load_context(PythonModelContext({"weights": str(folder)}, {}))
    return served


def _exchange_classes(folder):
    file = folder / "preprocessing.json"
    stored = json.loads(file.read_text())
    file.write_text(json.dumps({**stored, "classes": stored["classes"][::-1]}))


def _exchange_words(folder):
    file = folder / "preprocessing.json"
    stored = json.loads(file.read_text())
    words = stored["vocabulary"]
    file.write_text(json.dumps({**stored, "vocabulary": [*words[:2], *words[:1:-1]]}))


def _change_weights(folder):
    model = text_model(PREPROCESSING)
    damaged = archives.weights({"layers/dense/vars/1": [0, 0, 0]})
    archives.write(folder / "model.keras", model | {"model.weights.h5": damaged})


def _remove_card(folder):
    (card,) = folder.glob("*card*")
    card.unlink()


def test_a_sound_model_starts_and_answers(tmp_path):
    write_classifier(tmp_path)
    (answer,) = started(tmp_path).predict(None, ["enak sekali"])
    assert answer["class"] == max(answer["probabilities"], key=answer["probabilities"].get)


@pytest.mark.parametrize(
    "change", [_exchange_classes, _exchange_words, _change_weights, _remove_card]
)
def test_a_model_that_was_altered_does_not_start(tmp_path, change):
    write_classifier(tmp_path)
    change(tmp_path)
    with pytest.raises(ArchiveError):
        started(tmp_path)

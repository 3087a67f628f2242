import base64
import io

import numpy as np
from PIL import Image

from pipeline.data.dataset import Split
from pipeline.tasks import task_named
from pipeline.verification.worst_examples import MOST, confident_mistakes, worst_examples

CLASSES = ("no", "yes")
TASK = task_named("multiclass")


def split(labels, texts=None):
    images = np.linspace(0, 1, len(labels) * 4, dtype=np.float32).reshape(-1, 2, 2, 1)
    inputs = images if texts is None else np.zeros((len(labels), 3), np.int32)
    return Split(inputs, np.array(labels), texts)


def test_mistakes_are_the_wrong_answers_with_the_highest_probability():
    yes = np.array([0.9, 0.2, 0.6, 0.99, 0.7])
    probabilities = np.stack([1 - yes, yes], axis=1)
    found = confident_mistakes(TASK, probabilities, split([0, 1, 1, 1, 0], tuple("abcde")), CLASSES)
    assert [(one.index, one.text) for one in found] == [(0, "a"), (1, "b"), (4, "e")]
    assert (found[0].predicted, found[0].true) == ("yes", "no")
    assert found[0].probability_predicted == 0.9
    assert np.isclose(found[0].probability_true, 0.1)
    assert found[0].picture is None


def test_only_a_few_mistakes_are_kept_and_none_that_is_not_a_number():
    probabilities = np.tile([[0.2, 0.8]], (20, 1))
    probabilities[0] = np.nan
    found = confident_mistakes(TASK, probabilities, split([0] * 20), CLASSES)
    assert [one.index for one in found] == list(range(1, MOST + 1))


def test_an_image_is_a_picture():
    probabilities = np.array([[0.2, 0.8]])
    (mistake,) = confident_mistakes(TASK, probabilities, split([0]), CLASSES)
    assert mistake.text is None
    picture = base64.b64decode(mistake.picture.removeprefix("data:image/png;base64,"))
    assert list(Image.open(io.BytesIO(picture)).tobytes()) == [0, 85, 170, 255]


def test_the_worst_examples_differ_most():
    keras = np.array([[0.5, 0.5], [0.25, 0.75], [0.1, 0.9]])
    scratch = np.array([[0.5, 0.5], [0.26, 0.74], [0.1, np.nan]])
    found = worst_examples(TASK, keras, scratch, split([0, 1, 1], tuple("abc")), CLASSES)
    assert [one.text for one in found] == ["c", "b", "a"]
    assert found[1].keras == {"no": 0.25, "yes": 0.75}

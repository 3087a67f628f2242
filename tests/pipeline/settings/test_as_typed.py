import pytest

from pipeline.settings import flat_parameters
from pipeline.settings.as_typed import label, logged_parameters


@pytest.mark.parametrize(
    "line",
    [
        "bidirectional=true",
        "mask=false",
        "early_stopping=off",
        "early_stopping=3",
        "parity=off",
        "parity=optional",
        "bucket=off",
        "train_size=null",
        "learning_rate=0.001",
        "class_weight=balanced",
        "class_weight={yes:2,no:0.5}",
    ],
)
def test_a_parameter_is_logged_as_it_is_typed(composed, line):
    key, _, value = line.partition("=")
    assert flat_parameters(composed("model=lstm", line))[key] == value


def test_a_list_is_logged_as_it_is_typed(composed):
    assert flat_parameters(composed("model=cnn", "filters=[16,32]"))["filters"] == "[16,32]"


def test_a_default_and_the_same_value_by_hand_are_one(composed):
    default = flat_parameters(composed("model=lstm"))
    off = flat_parameters(composed("model=lstm", "early_stopping=off"))
    assert default == off == flat_parameters(composed("model=lstm", "early_stopping=false"))


def test_parameters_of_an_earlier_version_read_as_typed():
    logged = {
        "bidirectional": "True",
        "early_stopping": "False",
        "filters": "[16, 32]",
        "train_size": "None",
        "dataset.classes": "['no', 'yes']",
        "bucket": "auto",
    }
    assert logged_parameters(logged) == {
        "bidirectional": "true",
        "early_stopping": "off",
        "filters": "[16,32]",
        "train_size": "null",
        "dataset.classes": "[no,yes]",
        "bucket": "auto",
    }
    typed = logged_parameters(logged)
    assert logged_parameters(typed) == typed


def test_a_run_of_before_a_setting_came_equals_one_that_does_not_use_it(composed):
    now = flat_parameters(composed())
    later = ("schedule", "cl", "parity", "loss", "metrics", "callbacks", "initial")
    earlier = {key: now[key] for key in now if not key.startswith(later)}
    assert earlier != now
    assert logged_parameters(earlier) == logged_parameters(now) == now


def test_a_list_that_is_not_pythons_is_left_as_it_is():
    assert label("[no,yes]") == "[no,yes]"

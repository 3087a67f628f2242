import pytest

from pipeline.settings import SettingsError
from pipeline.tracking.run_condition import read_condition

PARAMS = {"units": "64", "learning_rate": "0.001", "bidirectional": "True", "filters": "[16, 32]"}


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        ("params.units > 32", True),
        ("params.units > 100", False),
        ("params.units >= 64 AND params.units <= 64", True),
        ("params.units = 64", True),
        ("params.units = '64'", True),
        ("params.units != 64", False),
        ("params.learning_rate = 1e-3", True),
        ("params.bidirectional = true", True),
        ('params.bidirectional = "true"', True),
        ("params.bidirectional = false", False),
        ("params.filters = [16,32]", True),
        ("params.filters > 3", False),
        ("params.`units` < 65 and parameter.units > 63", True),
        ("params.absent != 3", False),
    ],
)
def test_parameters_are_compared_as_numbers_or_as_typed(where, holds):
    condition = read_condition(where)
    assert condition.query == ""
    assert condition.holds(PARAMS) is holds


def test_the_rest_is_mlflows():
    condition = read_condition(
        "metrics.`test/f1_macro` > 0.7 and params.units > 3 AND tags.note = 'this and that'"
    )
    assert condition.query == "metrics.`test/f1_macro` > 0.7 AND tags.note = 'this and that'"
    assert [one.key for one in condition.comparisons] == ["units"]
    assert read_condition("params.units LIKE '6%'").query == "params.units LIKE '6%'"
    assert read_condition(None).query == ""


def test_words_have_no_size():
    with pytest.raises(SettingsError, match=r"params.model > lstm compares sizes, but lstm is"):
        read_condition("params.model > lstm")

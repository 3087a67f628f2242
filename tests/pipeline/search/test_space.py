import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from pipeline.search.space import dimension
from pipeline.settings import SettingsError


def searched(line):
    return dimension(OverridesParser.create().parse_override(line))


@pytest.mark.parametrize(
    ("line", "distribution", "probes"),
    [
        ("units=choice(8,16,32)", CategoricalDistribution(["8", "16", "32"]), ("8", "16", "32")),
        ("units=8,16", CategoricalDistribution(["8", "16"]), ("8", "16")),
        ("filters=[4],[4,8]", CategoricalDistribution(["[4]", "[4,8]"]), ("[4]", "[4,8]")),
        ("mask=true,false", CategoricalDistribution(["true", "false"]), ("true", "false")),
        ("layers=range(1,5)", IntDistribution(1, 4), ("1", "4")),
        ("units=range(8,33,8)", IntDistribution(8, 32, step=8), ("8", "32")),
        ("units=tag(log,range(8,65))", IntDistribution(8, 64, log=True), ("8", "64")),
        ("units=int(interval(8,64))", IntDistribution(8, 64), ("8", "64")),
        ("dropout=range(0,0.5,0.1)", FloatDistribution(0, 0.4, step=0.1), ("0.0", "0.4")),
        ("learning_rate=interval(1e-4,1e-1)", FloatDistribution(1e-4, 0.1), ("0.0001", "0.1")),
        (
            "learning_rate=tag(log,interval(1e-4,1e-1))",
            FloatDistribution(1e-4, 0.1, log=True),
            ("0.0001", "0.1"),
        ),
    ],
)
def test_hydras_grammar_as_optunas_distributions(line, distribution, probes):
    found = searched(line)
    assert found.key == line.split("=")[0]
    assert found.distribution == distribution
    assert found.probes == probes


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "l2=interval(0.1,0.1)",
            "l2=interval(0.1,0.1) is empty: its second end must be above its first.",
        ),
        ("units=range(5,5)", "units=range(5,5) holds no value."),
        ("units=range(5,9,0)", "units=range(5,9,0) never ends: its step is 0."),
        ("seed=range(0,99999)", "seed=range(0,99999) holds more than 10000 values."),
        (
            "l2=tag(log,interval(0,1))",
            "l2=tag(log,interval(0,1)) is tagged log, so it must begin above 0.",
        ),
        (
            "units=tag(log,range(8,65,8))",
            "units=tag(log,range(8,65,8)) is tagged log, and then cannot have steps.",
        ),
        (
            "units=tag(log,choice(8,16))",
            "units=tag(log,choice(8,16)) is tagged log, but lists single values.",
        ),
        ("l2=tag(lin,interval(0,1))", "l2=tag(lin,interval(0,1)) is tagged lin; known is log."),
    ],
)
def test_what_cannot_be_searched_is_told_in_a_sentence(line, sentence):
    with pytest.raises(SettingsError) as refused:
        searched(line)
    assert refused.value.faults == [sentence]


def test_real_numbers_have_four_digits_and_stay_between_the_ends():
    found = searched("learning_rate=tag(log,interval(0.00012344,0.1))")
    assert found.text(0.0031622776601) == "0.003162"
    assert found.text(0.00012344) == "0.00012344"
    assert searched("learning_rate=interval(1,64)").text(8.0) == "8.0"


def test_what_there_is_to_choose_from_in_words():
    assert searched("units=8,16,32").describe() == "8, 16 or 32"
    assert searched("units=range(8,33,8)").describe() == "8 to 32 in steps of 8"
    assert searched("l2=tag(log,interval(1e-5,1))").describe() == "1e-05 to 1.0, logarithmic"

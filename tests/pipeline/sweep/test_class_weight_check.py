import pytest

from pipeline.settings import SettingsError
from pipeline.sweep.class_weight_check import check_class_weights


def test_a_class_that_the_data_do_not_have_is_refused(settings_for):
    settings = [settings_for("class_weight={positive:2,negatve:1}"), settings_for("model=rnn")]
    with pytest.raises(SettingsError) as refused:
        check_class_weights(settings)
    assert refused.value.faults == [
        "class_weight names `negatve`, which is no class of dataset=reviews (did you mean "
        "`negative`?); its classes are negative, neutral, positive."
    ]
    check_class_weights([settings_for("class_weight={positive:2}")])
    check_class_weights([settings_for("class_weight=balanced")])

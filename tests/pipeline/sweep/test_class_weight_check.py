import numpy as np
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


@pytest.mark.parametrize("weights", ["balanced", "{yes:2.0}"])
@pytest.mark.parametrize("task", ["multilabel", "regression"])
def test_weights_of_classes_are_refused_where_there_are_none(settings_for, tmp_path, task, weights):
    y = np.eye(3)[np.arange(60) % 3] + np.eye(3)[0]  # two labels for most, then numbers
    y = np.minimum(y, 1).astype(int) if task == "multilabel" else y / 2
    x = np.random.default_rng(0).normal(size=(60, 2))
    np.savez(tmp_path / "data.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    data = ["model=mlp", "dataset=npz", f"dataset.path={tmp_path}/data.npz"]
    with pytest.raises(SettingsError) as refused:
        check_class_weights([settings_for(*data, f"class_weight={weights}")])
    (fault,) = refused.value.faults
    assert fault == f"class_weight={weights} is for classes, not for task={task}."

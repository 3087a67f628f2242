"""model=keras_file: an architecture from a file, with its weights or without."""

import pytest

from pipeline.data.sharing import shared_data
from pipeline.job.brought import brought
from pipeline.job.run import compiled_model
from pipeline.models.keras_backend import keras
from pipeline.settings import SettingsError
from pipeline.sweep.model_check import check_own_models
from tests.support.equal_weights import same_arrays

layers = keras.layers


def saved(path, outputs=10):
    keras.utils.set_random_seed(12345)  # other weights than a job draws with its seed
    digits = keras.Input((8, 8, 1))
    hidden = layers.Dense(4, "relu")(layers.Flatten()(digits))
    model = keras.Model(digits, layers.Dense(outputs, "softmax")(hidden))
    model.save(path)
    return model.get_weights()


def settings_of(plan_for, path, *overrides):
    fixed = ("model=keras_file", f"model.path={path}", "dataset=digits", "train_size=60")
    return [job.settings for job in plan_for(*fixed, *overrides).jobs]


def weights_of(settings):
    return compiled_model(settings, shared_data(**settings.data)).get_weights()


def test_the_architecture_is_taken_and_the_weights_if_they_are_asked_for(plan_for, tmp_path):
    stored = saved(tmp_path / "a.keras")
    all_settings = settings_of(
        plan_for, tmp_path / "a.keras", "model.weights=true,false", "seed=0,1"
    )
    check_own_models(all_settings)
    kept, kept_too, drawn, drawn_too = map(weights_of, all_settings)
    assert same_arrays(kept, stored)
    assert same_arrays(kept_too, stored)
    assert not same_arrays(drawn, stored)
    assert not same_arrays(drawn, drawn_too)
    assert same_arrays(drawn, weights_of(all_settings[2]))
    assert [array.shape for array in drawn] == [array.shape for array in stored]


def test_what_does_not_fit_the_data_is_one_sentence(plan_for, tmp_path):
    saved(tmp_path / "a.keras", outputs=7)
    with pytest.raises(
        SettingsError, match=r"^model=keras_file gives outputs of shape \(None, 7\)"
    ):
        check_own_models(settings_of(plan_for, tmp_path / "a.keras"))
    (tmp_path / "b.keras").write_bytes(b"nothing")
    with pytest.raises(SettingsError, match=r"^model=keras_file raises [^\n]*$"):
        check_own_models(settings_of(plan_for, tmp_path / "b.keras"))


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["model.path=nowhere.keras"], "model.path=/.*/nowhere.keras does not exist."),
        (["model.path=a.onnx"], "model.path=/.*/a.onnx must be a .keras or .h5 file."),
        ([], "model.path is not set: it must be text."),
        (["model.paht=a.keras"], r"`model.paht` is not an option of model=keras_file \(did you"),
        (["initial_weights=no.keras"], "initial_weights=/.*/no.keras does not exist."),
        (["initial_weights=latest"], "initial_weights=latest must be the id of a run, the beg"),
    ],
)
def test_a_file_that_is_not_there_is_one_sentence(plan_for, tmp_path, overrides, sentence):
    path = saved(tmp_path / "b.keras") and f"model.path={tmp_path}/b.keras"
    given = [path] if any(one.startswith("initial") for one in overrides) else []
    with pytest.raises(SettingsError, match=sentence):
        plan_for("model=keras_file", *given, *overrides)


def test_a_files_content_is_part_of_the_identity_and_its_place_is_not(plan_for, tmp_path):
    saved(tmp_path / "a.keras")
    (tmp_path / "b.keras").write_bytes((tmp_path / "a.keras").read_bytes())
    saved(tmp_path / "c.keras")
    (of_a,), (of_b,), (of_c,) = (settings_of(plan_for, tmp_path / f"{one}.keras") for one in "abc")
    assert brought(of_a) == brought(of_b) != brought(of_c)
    weights = f"initial_weights={tmp_path}/a.keras"
    (fine_tuned,) = settings_of(plan_for, tmp_path / "a.keras", weights)
    assert {*brought(fine_tuned)} == {"model.path", "initial_weights"}

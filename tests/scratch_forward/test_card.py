import shutil

import numpy as np
import pytest

import scratch_forward
from scratch_forward.card import card_path, probes, verify_card, write_card
from scratch_forward.errors import ArchiveError

keras = pytest.importorskip("keras")
layers = keras.layers


def texts_model():
    return keras.Sequential(
        [
            keras.Input((11,), dtype="int32"),
            layers.Embedding(20, 6, mask_zero=True),
            layers.Bidirectional(layers.LSTM(5, return_sequences=True)),
            layers.GRU(4),
            layers.Dense(3, "softmax"),
        ]
    )


def images_model():
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(3, "softmax"),
        ]
    )


def two_inputs_model():
    words, numbers = keras.Input((None,), dtype="int32"), keras.Input((3,))
    read = layers.LSTM(4)(layers.Embedding(9, 4, mask_zero=True)(words))
    return keras.Model([words, numbers], layers.Dense(2)(layers.Concatenate()([read, numbers])))


@pytest.fixture(params=[texts_model, images_model, two_inputs_model])
def saved(request, tmp_path):
    """A saved model with its card."""
    model = request.param()
    path = tmp_path / "model.keras"
    model.save(path)
    write_card(
        path,
        scratch_forward.load(path),
        lambda inputs: model(inputs if len(inputs) > 1 else inputs[0]).numpy(),
        {"keras": keras.__version__},
    )
    return path


def test_a_sound_model_passes_its_card(saved):
    assert scratch_forward.load(saved, verify=True).predict is not None


def test_ids_ask_every_awkward_question(tmp_path):
    model = texts_model()
    model.save(tmp_path / "model.keras")
    (ids,) = probes(scratch_forward.load(tmp_path / "model.keras"))
    assert ids.shape == (7, 11)
    padding = ids == 0
    assert ids.max() == 19
    assert padding.all(axis=1).any()
    assert (padding.sum(axis=1) == 10).any()  # a single token
    assert (padding[:, 0] & ~padding[:, -1]).any()  # on the left
    assert (~padding[:, 0] & padding[:, -1]).any()  # on the right
    assert (~padding[:, 0] & padding[:, 1] & ~padding[:, 2]).any()  # in holes


def test_open_sizes_are_odd_and_numbers_have_both_signs(tmp_path):
    model = two_inputs_model()
    model.save(tmp_path / "model.keras")
    ids, numbers = probes(scratch_forward.load(tmp_path / "model.keras"))
    assert ids.shape == (7, 9)
    assert ids.max() == 8
    assert numbers.shape == (7, 3)
    assert numbers.min() < 0 < numbers.max()
    assert (numbers == 0).all(axis=1).any()


def test_other_weights_are_refused(saved, tmp_path):
    other = scratch_forward.load(saved)
    weights = other.get_weights()
    other.set_weights([weights[0] * 1.5, *weights[1:]])
    with pytest.raises(ArchiveError, match=r"are not those that .* was made for"):
        verify_card(saved, other, oracle=lambda: other)


def test_a_fault_in_a_layer_is_refused(saved, monkeypatch):
    sound = scratch_forward.Dense.call
    monkeypatch.setattr(scratch_forward.Dense, "call", lambda self, x: sound(self, x) + 1e-4)
    with pytest.raises(ArchiveError, match=r"differ by up to \S+ from those of Keras"):
        scratch_forward.load(saved, verify=True)


def test_a_missing_or_damaged_card_is_one_sentence(saved):
    card = card_path(saved)
    kept = card.with_suffix(".kept")
    shutil.copy(card, kept)
    card.unlink()
    with pytest.raises(ArchiveError, match="There is no parity card at"):
        scratch_forward.load(saved, verify=True)
    card.write_bytes(kept.read_bytes()[:300])
    with pytest.raises(ArchiveError, match="cannot be read"):
        scratch_forward.load(saved, verify=True)
    np.savez(card, about=np.array("{}"))
    with pytest.raises(ArchiveError, match="holds no examples"):
        scratch_forward.load(saved, verify=True)


def test_a_card_that_needs_pickle_is_refused(saved):
    np.savez(card_path(saved), about=np.array([{"x": 1}], dtype=object))
    with pytest.raises(ArchiveError, match="cannot be read"):
        scratch_forward.load(saved, verify=True)

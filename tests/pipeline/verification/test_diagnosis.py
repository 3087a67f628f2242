import numpy as np
import pytest

import scratch_forward
from pipeline.models.keras_backend import keras
from pipeline.verification.diagnosis import check_layers, guilty

layers = keras.layers
IDS = np.random.default_rng(0).integers(0, 30, (6, 9)).astype(np.int32)


@pytest.fixture
def models():
    """Keras's model and ours, three recurrent layers deep, with masks."""
    reference = keras.Sequential(
        [
            keras.Input((9,), dtype="int32"),
            layers.Embedding(30, 6, mask_zero=True),
            layers.Bidirectional(layers.LSTM(5, return_sequences=True)),
            layers.GRU(4, return_sequences=True),
            layers.SimpleRNN(4),
            layers.Dropout(0.5),
            layers.Dense(3, "softmax"),
        ]
    )
    return reference, scratch_forward.from_keras(reference)


def test_sound_layers_differ_by_rounding_alone(models):
    checks = list(check_layers(*models, IDS))
    assert [check.kind for check in checks] == [
        *["Embedding", "Bidirectional", "GRU", "SimpleRNN", "Dropout", "Dense"]
    ]
    assert guilty(checks) is None
    assert max(check.carried for check in checks) < 1e-6
    assert checks[1].shape == (6, 9, 10)


@pytest.mark.parametrize("faulty", [1, 2, 3, 5])
def test_a_planted_fault_is_found_in_the_middle_of_a_stack(models, faulty, monkeypatch):
    reference, ours = models
    sound = ours.layers[faulty].run

    def wrong(*arguments, **named):
        outputs, mask = sound(*arguments, **named)
        outputs = np.array(outputs)
        outputs[4, ..., 1] += 0.01
        return outputs, mask

    monkeypatch.setattr(ours.layers[faulty], "run", wrong)
    checks = list(check_layers(reference, ours, IDS))
    found = guilty(checks)
    assert found is checks[faulty]
    assert found.isolated == pytest.approx(0.01, rel=1e-3)
    assert found.worst[0] == 4
    assert found.worst[-1] == 1
    for check in checks[faulty + 1 :]:  # the others carry the fault on, but are not at fault
        assert check.isolated < 1e-6
    if faulty < 5:
        assert checks[-1].carried > 1e-6


def test_nan_is_a_fault(models, monkeypatch):
    reference, ours = models
    sound = ours.layers[2].run
    monkeypatch.setattr(
        ours.layers[2], "run", lambda *a, **k: (sound(*a, **k)[0] * np.nan, sound(*a, **k)[1])
    )
    assert guilty(list(check_layers(reference, ours, IDS))).kind == "GRU"

import io
import json
import random

import numpy as np
import pytest

from pipeline.training.history import Epoch
from pipeline.training.state import Patience, TrainingState, TrainingStateError
from scratch_forward.io.stored_arrays import read_arrays
from tests.support.damage import Contract, damaged_bytes, damaged_config

# Twelve arrays, so that their order by number is not the one by name.
STATE = TrainingState(
    epochs=(Epoch(1, 0.9, 1.1, 0.5, 0.4, 0.001, 2.5),),
    variables=[np.full((2, 3), number, np.float32) for number in range(12)],
    optimizer=[np.array(7, np.int64)],
    patience=Patience(1.1, 0, 2, True, [np.eye(2, dtype=np.float32)]),
)


def test_a_state_comes_back_whole():
    back = TrainingState.from_bytes(STATE.to_bytes())
    assert back.epochs == STATE.epochs
    assert [array[0, 0] for array in back.variables] == list(range(12))
    assert back.variables[0].dtype == np.float32
    assert back.optimizer[0].dtype == np.int64
    assert (back.patience.best, back.patience.wait, back.patience.stopped) == (1.1, 2, True)
    np.testing.assert_array_equal(back.patience.weights[0], np.eye(2))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_state_cut_short_is_refused(share):
    packed = STATE.to_bytes()
    with pytest.raises(TrainingStateError):
        TrainingState.from_bytes(packed[: int(len(packed) * share)])


def test_a_flipped_byte_is_refused():
    packed = bytearray(STATE.to_bytes())
    packed[packed.index(np.eye(2, dtype=np.float32).tobytes())] ^= 1
    with pytest.raises(TrainingStateError):
        TrainingState.from_bytes(bytes(packed))


def test_a_state_without_early_stopping_has_no_patience():
    plain = TrainingState(STATE.epochs, STATE.variables, STATE.optimizer)
    assert TrainingState.from_bytes(plain.to_bytes()).patience is None


def damaged_state(draw):
    """A state damaged as a file, or in the JSON that it holds."""
    if draw.random() < 0.5:
        return damaged_bytes(STATE.to_bytes(), draw)
    arrays = read_arrays(STATE.to_bytes(), "state")
    arrays["rest"] = np.array(damaged_config(str(arrays["rest"]), draw).decode())
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    return packed.getvalue()


@pytest.mark.parametrize("damages", [200, pytest.param(1_500, marks=pytest.mark.slow)])
def test_a_damaged_state_is_refused_or_is_one_still(damages):
    contract = Contract((TrainingStateError,))
    for index in range(damages):
        packed = damaged_state(random.Random(index))
        state = contract.call(lambda packed=packed: TrainingState.from_bytes(packed))
        if state is not None:
            assert all(isinstance(epoch.loss_train, int | float) for epoch in state.epochs)
            assert len(state.variables) == 12
    assert contract.outcomes["TrainingStateError"] > damages * 2 / 3


def test_more_than_a_state_is_refused():
    arrays = read_arrays(STATE.to_bytes(), "state")
    packed = io.BytesIO()
    np.savez(packed, **arrays, other=np.zeros(1))
    with pytest.raises(TrainingStateError, match="it holds other too"):
        TrainingState.from_bytes(packed.getvalue())


@pytest.mark.parametrize("field", ["loss_train", "number"])
def test_an_epoch_of_another_type_is_refused(field):
    arrays = read_arrays(STATE.to_bytes(), "state")
    rest = json.loads(str(arrays["rest"]))
    rest["epochs"][0][field] = "1"
    packed = io.BytesIO()
    np.savez(packed, **{**arrays, "rest": np.array(json.dumps(rest))})
    with pytest.raises(TrainingStateError, match=f"{field} is '1'"):
        TrainingState.from_bytes(packed.getvalue())

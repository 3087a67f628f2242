"""Every task, fitted by Keras and computed again by NumPy."""

import numpy as np
import pytest

import scratch_forward
from pipeline.data.data_spec import TableSpec
from pipeline.models.build import build_model
from pipeline.tasks import task_named
from pipeline.training.compilation import compile_model, set_seeds
from pipeline.training.fitting import fit
from pipeline.training.objective import Objective
from pipeline.training.optimizers import build_optimizer
from pipeline.verification.agreement import compare

EPOCHS = 6
RNG = np.random.default_rng(0)
INPUTS = RNG.standard_normal((80, 5)).astype(np.float32)
LABELS = {
    "multiclass": INPUTS[:, :3].argmax(axis=1),
    "binary": (INPUTS[:, 0] > 0).astype(np.int64),
    "multilabel": (INPUTS[:, :3] > 0).astype(np.uint8),
    "regression": INPUTS @ RNG.standard_normal((5, 2)).astype(np.float32),
    "one target": INPUTS[:, 0] * 100 + 7,
}
NAMES = {"binary": ("a", "b"), "regression": ("a", "b"), "one target": ("a",)}


@pytest.mark.parametrize(
    "labelled",
    [
        pytest.param("multiclass", marks=pytest.mark.slow),  # which most other tests train
        *("binary", "multilabel", "regression"),
        pytest.param("one target", marks=pytest.mark.slow),
    ],
)
def test_a_model_learns_its_task_and_numpy_agrees(labelled):
    labels, names = LABELS[labelled], NAMES.get(labelled, ("a", "b", "c"))
    task = task_named("regression" if labelled == "one target" else labelled)
    set_seeds(0)
    data = TableSpec((5,), "float32", task.outputs(len(names)), task.name, columns=tuple("abcde"))
    model = build_model("mlp", data, {"widths": (8,), "dropout": 0.0, "l1": 0.0, "l2": 0.0})
    objective = Objective(task.name)
    compile_model(model, build_optimizer("adam", 0.05), objective=objective)
    evaluated = []
    fitted = fit(
        model,
        (INPUTS[:60], labels[:60]),
        (INPUTS[60:], labels[60:]),
        epochs=EPOCHS,
        batch_size=20,
        seed=0,
        objective=objective,
        on_epoch=lambda epoch: evaluated.append(
            model.evaluate(INPUTS[60:], labels[60:], verbose=0) if epoch.number == EPOCHS else None
        ),
    )
    first, last = fitted.history.epochs[0], fitted.history.epochs[-1]
    assert [last.loss_validation, last.measure_validation] == pytest.approx(evaluated[-1], rel=1e-4)
    assert last.loss_validation < first.loss_validation
    assert last.measure == task.measure
    scores = task.scores(fitted.validation, labels[60:], names)
    assert scores["loss"] == pytest.approx(last.loss_validation, rel=1e-5)
    assert scores[task.measure] == pytest.approx(last.measure_validation)
    ours = scratch_forward.from_keras(model).predict(INPUTS[60:])
    assert compare(task, fitted.validation, ours, labels[60:]).verdict in ("exact", "close")
    assert np.abs(ours - fitted.validation).max() < 2e-5

"""The package needs NumPy and h5py alone."""

import subprocess
import sys
import textwrap

PROGRAM = textwrap.dedent(
    """
    import importlib.abc, sys

    class Blocker(importlib.abc.MetaPathFinder):
        blocked = {"tensorflow", "keras", "jax", "scipy", "torch", "pipeline"}

        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] in self.blocked:
                raise ImportError(f"{name} is blocked")

    sys.meta_path.insert(0, Blocker())
    import numpy as np
    import scratch_forward as sf

    model = sf.Sequential(
        [sf.Embedding(5, 2, mask_zero=True), sf.Bidirectional(sf.LSTM(3)), sf.Dense(2, "softmax")]
    )
    shapes = [shape for layer in model.flatten() for shape in layer.own_weight_shapes().values()]
    model.set_weights([np.zeros(shape) for shape in shapes])
    assert np.allclose(model.predict(np.array([[1, 2, 0]])), 0.5)
    assert not Blocker.blocked & {name.split(".")[0] for name in sys.modules}
    print("predicted")
    """
)


def test_predicts_where_no_framework_can_be_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.strip() == "predicted", done.stderr

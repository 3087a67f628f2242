import subprocess
import sys

import numpy as np
import pytest

from pipeline.data import load
from pipeline.data.catalogue import NUSAX_LANGUAGES, SPECS, built_in
from pipeline.data.published.nusax_checksums import CHECKSUMS

BUILT_IN = built_in()


def test_built_in_data_sets():
    assert BUILT_IN == ("digits", "reviews")


@pytest.mark.parametrize("name", BUILT_IN)
def test_catalogue_tells_the_truth(name, tmp_path):
    spec, loaded = SPECS[name], load(name, data_dir=tmp_path)
    assert (loaded.kind, loaded.classes, loaded.synthetic) == (
        spec.kind,
        spec.classes,
        spec.synthetic,
    )
    assert len(loaded.train) == spec.train_size
    if spec.input_shape:
        assert loaded.train.inputs.shape[1:] == spec.input_shape
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["nusax", pytest.param("cifar10", marks=pytest.mark.slow)])
def test_catalogue_tells_the_truth_of_real_data(name, request):
    spec, data_dir = SPECS[name], request.getfixturevalue(f"real_{name}")
    loaded = load(name, data_dir=data_dir)
    assert len(loaded.train) == spec.train_size
    assert spec.input_shape in (None, loaded.train.inputs.shape[1:])
    for split in loaded.splits.values():
        assert set(np.unique(split.labels)) == set(range(len(spec.classes)))


def test_every_language_has_checksums():
    assert tuple(CHECKSUMS) == NUSAX_LANGUAGES
    sums = [sha256 for files in CHECKSUMS.values() for sha256 in files.values()]
    assert len(sums) == len(set(sums)) == 36
    assert {len(sha256) for sha256 in sums} == {64}


def test_catalogue_imports_nothing_heavy():
    heavy = "{'numpy', 'sklearn', 'pooch', 'tensorflow', 'scratch_forward'}"
    code = f"import sys, pipeline.data.catalogue; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.slow
def test_loading_imports_no_tensorflow(tmp_path):
    code = (
        "import sys; from pipeline.data import load; load('reviews', data_dir='.'); "
        "load('digits', data_dir='.'); import pipeline.tasks.baselines; "
        "print({'tensorflow', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"

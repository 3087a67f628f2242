"""Archives damaged at random: whatever is wrong, loading says so in one of two ways."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import scratch_forward as sf
from tests.support import archives
from tests.support.damage import MEMBERS, Loader, damaged_bytes, damaged_config


def damaged_archive(draw: random.Random) -> bytes:
    """Return an archive damaged in its configuration, its weights, or as a zip file."""
    members = dict(MEMBERS)
    kind = draw.randrange(4)
    if kind <= 1:
        members["config.json"] = damaged_config(members["config.json"], draw)
    elif kind == 2:
        members["model.weights.h5"] = damaged_bytes(members["model.weights.h5"], draw)
    archive = archives.packed(members)
    return damaged_bytes(archive, draw) if kind == 3 else archive


def damaged_hdf5(draw: random.Random) -> bytes:
    """Return a whole model in HDF5, damaged in its configuration or as a file."""
    config = json.dumps(archives.keras_2_config())
    if draw.random() < 0.5:
        return archives.hdf5_model(damaged_config(config, draw))
    return damaged_bytes(archives.hdf5_model(config), draw)


def fuzz(
    count: int, seed: int, path: Path, damaged: Callable[[random.Random], bytes] = damaged_archive
) -> dict[str, int]:
    """Load damaged archives; the first that breaks the contract fails the test."""
    loader = Loader()
    for index in range(count):
        path.write_bytes(damaged(random.Random(f"{seed} {index}")))
        try:
            loader.load(path)
        except BaseException as error:
            raise AssertionError(f"archive {index} of seed {seed}") from error
    return loader.outcomes


def test_the_archive_is_sound_before_it_is_damaged(tmp_path) -> None:
    model = sf.load(archives.write(tmp_path / "m.keras", MEMBERS))
    assert model.predict(np.ones((2, 4, 2))).shape == (2, 2, 1)


@pytest.mark.parametrize("count", [150, pytest.param(2_000, marks=pytest.mark.slow)])
def test_damaged_archives_are_refused_in_one_sentence(tmp_path, count) -> None:
    outcomes = fuzz(count, seed=1, path=tmp_path / "m.keras")
    assert min(outcomes.values()) > count / 40  # all three outcomes are reached


def test_a_whole_model_in_hdf5_is_sound_before_it_is_damaged(tmp_path) -> None:
    path = tmp_path / "m.h5"
    path.write_bytes(archives.hdf5_model(json.dumps(archives.keras_2_config())))
    x = np.array([[1.0, -2.0]])
    one = np.clip(0.2 * (x @ archives.KERNEL + archives.BIAS) + 0.5, 0, 1)
    two = np.clip(0.2 * (one @ archives.KERNEL + archives.BIAS) + 0.5, 0, 1)
    np.testing.assert_allclose(sf.load(path).predict(x), one * two, rtol=1e-6)


@pytest.mark.parametrize("count", [120, pytest.param(1_000, marks=pytest.mark.slow)])
def test_damaged_hdf5_models_are_refused_in_one_sentence(tmp_path, count) -> None:
    outcomes = fuzz(count, 3, tmp_path / "m.h5", damaged_hdf5)
    assert min(outcomes.values()) > count / 100


@pytest.mark.slow
@pytest.mark.long  # a minute, of the same as above
def test_many_damaged_hdf5_models_are_refused_in_one_sentence(tmp_path) -> None:
    fuzz(10_000, 4, tmp_path / "m.h5", damaged_hdf5)


@pytest.mark.slow
@pytest.mark.long  # a minute, of the same as above
def test_many_damaged_archives_are_refused_in_one_sentence(tmp_path) -> None:
    fuzz(25_000, seed=2, path=tmp_path / "m.keras")

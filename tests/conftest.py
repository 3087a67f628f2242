import os
from pathlib import Path

import pytest


def data_dir_with(folder):
    """The data directory of real data, if this folder lies there."""
    data_dir = os.environ.get("PIPELINE_DATA_DIR")
    if not data_dir or not (Path(data_dir) / folder).is_dir():
        pytest.skip(f"{folder}/ is not in the directory that PIPELINE_DATA_DIR names ({data_dir})")
    return Path(data_dir)


@pytest.fixture(scope="session")
def real_nusax():
    """A data directory with the NusaX files."""
    return data_dir_with("nusax")


@pytest.fixture(scope="session")
def real_cifar10():
    """A data directory with the CIFAR-10 batches."""
    return data_dir_with("cifar-10-batches-bin")

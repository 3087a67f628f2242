import pytest

from pipeline.tracking.store import open_local
from tests.support.commands import IN_PROCESS, MAIN_JOB, Sweep, call
from tests.support.fresh_store import copy_store, stock
from tests.support.installed import install
from tests.support.once import once
from tests.support.sweeps import SWEEP


@pytest.fixture(scope="session")
def sweep(tmp_path_factory):
    """The main job at a small size: a folder in which it ran, what it printed, its store."""
    main_job = ["pipeline.train", *MAIN_JOB]
    return Sweep(*once(tmp_path_factory, "sweep", lambda folder: call(*main_job, cwd=folder)))


@pytest.fixture(scope="session")
def spoiled(tmp_path_factory, sweep):
    """A copy of the main job that tests may spoil; no other worker sees it."""
    return Sweep(copy_store(sweep.folder, tmp_path_factory.mktemp("spoiled") / "copy"), sweep.done)


@pytest.fixture(scope="session")
def images(tmp_path_factory, template):
    """A CNN's run on the digits; gives the folder and the run."""
    unlike_defaults = ["filters=[4]", "batch_norm=true", "pooling=average", "conv_padding=valid"]
    job = ["pipeline.train", "model=cnn", *unlike_defaults, "epochs=2", *IN_PROCESS]
    folder, done = once(
        tmp_path_factory, "images", lambda folder: call(*job, cwd=stock(folder, template))
    )
    assert done.returncode == 0, done.stdout + done.stderr
    store = open_local(folder)
    experiment = store.client.get_experiment_by_name("digits")
    (run,) = store.client.search_runs([experiment.experiment_id])
    return folder, run


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """The package as `pip install` leaves it: the folder to import it from."""
    _, site = once(tmp_path_factory, "installed", install)
    return site


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, template):
    """The folder of a sweep of a small CNN by two workers."""
    folder, done = once(
        tmp_path_factory,
        "undisturbed",
        lambda folder: call("pipeline.train", *SWEEP, cwd=stock(folder, template)),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder

import pytest

from pipeline.tracking.attempts import epoch_of
from pipeline.tracking.checkpoints import Checkpoints


@pytest.fixture
def checkpoints(store):
    experiment = store.experiment("here").experiment_id
    run_id = store.client.create_run(experiment).info.run_id
    return Checkpoints(store.client, run_id, local=True)


def test_the_newest_state_comes_first_and_old_ones_are_dropped(checkpoints):
    for epoch in (8, 9, 10, 11):
        checkpoints.save(epoch, b"%d" % epoch)
    assert list(checkpoints.newest_first()) == [b"11", b"10"]


def test_none_is_left_when_they_are_cleared(checkpoints):
    checkpoints.clear()
    checkpoints.save(1, b"1")
    checkpoints.clear()
    assert list(checkpoints.newest_first()) == []
    assert checkpoints.client.list_artifacts(checkpoints.run_id) == []


def test_a_server_is_sent_one_in_ten_seconds(store, checkpoints):
    remote = Checkpoints(store.client, checkpoints.run_id, local=False)
    for epoch in (1, 2, 3):
        remote.save(epoch, b"state")
    assert [path[-10:] for path in remote._paths()] == ["000001.npz"]


def test_the_epoch_is_in_the_name():
    assert epoch_of(["checkpoint/epoch-000009.npz", "checkpoint/epoch-000010.npz"]) == 10
    assert epoch_of([".mlflow-tmp", "notes.txt"]) == 0

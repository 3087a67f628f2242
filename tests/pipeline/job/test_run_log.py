import pytest

from pipeline.job.run_log import run_log
from pipeline.tasks import task_named
from pipeline.training.history import Epoch, History

EPOCHS = (Epoch(1, 0.9, 0.8, 0.5, 0.6, 0.001, 2.0), Epoch(2, 0.7, 0.9, 0.6, 0.5, 0.001, 2.0))
SCORES = {"validation/f1_macro": 0.61, "test/f1_macro": 0.62}


def lines_of(file):
    return [line.split(" ", 2)[2] for line in file.read_text().splitlines()]


def test_each_epoch_and_what_is_kept_is_a_line(tmp_path):
    with run_log(tmp_path / "log.txt", 2) as log:
        for epoch in EPOCHS:
            log.epoch(epoch)
        log.scores(SCORES, History(EPOCHS, restored=True), task_named("multiclass"))
    first, second, kept = lines_of(tmp_path / "log.txt")
    assert first == (
        "epoch 1/2: training loss 0.9000, accuracy 0.5000; validation loss 0.8000, "
        "accuracy 0.6000; 2.0 s"
    )
    assert second.startswith("epoch 2/2: training loss 0.7000")
    assert kept == "weights of epoch 1: macro F1 0.6100 on validation data, 0.6200 on test data"


def test_what_ended_a_run_is_its_last_line(tmp_path):
    with (
        pytest.raises(ZeroDivisionError),
        run_log(tmp_path / "log.txt", 2) as log,
        log.ending(),
    ):
        1 / 0  # noqa: B018
    assert lines_of(tmp_path / "log.txt") == ["ended: ZeroDivisionError: division by zero"]


def test_without_a_file_the_lines_are_kept_while_the_run_lasts():
    with run_log(None, 2) as log:
        log.write("a line")
        assert lines_of(log.file) == ["a line"]
    assert not log.file.exists()

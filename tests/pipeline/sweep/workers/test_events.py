import pytest

from pipeline.errors import PrunedError
from pipeline.sweep.workers.events import EventReader, EventWriter
from pipeline.training.history import Epoch


def epoch(number):
    return Epoch(number, 0.9, 0.8, 0.5, 0.6, 0.001, 2.0)


def test_each_event_is_read_once(tmp_path):
    writer, reader = EventWriter(tmp_path / "0.events"), EventReader(tmp_path / "0.events")
    writer.starts("abc")
    writer.epoch(epoch(1))
    assert [event["kind"] for event in reader.new()] == ["starts", "epoch"]
    writer.epoch(epoch(2))
    assert [Epoch(**event["epoch"]) for event in reader.new()] == [epoch(2)]
    assert list(reader.new()) == []


def test_a_job_that_shall_end_does_so_with_its_next_epoch_alone(tmp_path):
    hopeless, other = (EventWriter(tmp_path / f"{job}.events") for job in (0, 1))
    reader = EventReader(tmp_path / "0.events")
    hopeless.epoch(epoch(1))
    reader.prune("accuracy/validation is below the median.")
    other.epoch(epoch(2))
    message = r"^after epoch 2: accuracy/validation is below the median\.$"
    with pytest.raises(PrunedError, match=message):
        hopeless.epoch(epoch(2))
    assert [event["epoch"]["number"] for event in reader.new()] == [1, 2]

"""What a job asks Ray for, and how its events pass; no cluster is needed."""

from functools import partial

import pytest

from pipeline.errors import PrunedError
from pipeline.sweep.cores import VISIBLE_GPUS, WITHIN_OPERATION
from pipeline.sweep.needs import AUTO
from pipeline.sweep.ray_events import Mailbox, MailedEvents
from pipeline.sweep.ray_task import task_options
from pipeline.sweep.schedule import LaunchedJob
from pipeline.training.history import Epoch


def job(threads, **asked):
    values = {"resources": AUTO.model_dump() | asked, "sweep": {"threads": threads}}
    return LaunchedJob("", values, [], 1)


def test_a_process_has_the_threads_of_its_job_whatever_cores_it_gets(monkeypatch):
    monkeypatch.delenv(WITHIN_OPERATION, raising=False)
    for cpus in ("auto", 1, 8):
        options = task_options(job(4, cpus=cpus))
        assert options["runtime_env"]["env_vars"][WITHIN_OPERATION] == "4"
        assert options["num_cpus"] == (4 if cpus == "auto" else cpus)
    monkeypatch.setenv(WITHIN_OPERATION, "3")
    assert task_options(job(None))["runtime_env"]["env_vars"][WITHIN_OPERATION] == "3"


def test_a_job_sees_only_gpus_that_it_asks_for():
    options = task_options(job(1, gpus=2, memory="3GB"))
    assert (options["num_gpus"], options["memory"]) == (2, 3 * 2**30)
    assert VISIBLE_GPUS not in options["runtime_env"]["env_vars"]
    assert task_options(job(1))["runtime_env"]["env_vars"][VISIBLE_GPUS] == ""


def test_events_pass_once_and_a_verdict_ends_its_job_alone():
    box = Mailbox()
    hopeless, other = (MailedEvents(partial(box.write, number)) for number in (0, 1))
    epoch = Epoch(1, 0.9, 0.8, 0.5, 0.6, 0.001, 2.0)
    hopeless.starts("abc")
    hopeless.epoch(epoch)
    assert [event["kind"] for event in box.take(0)] == ["starts", "epoch"]
    assert box.take(0) == []
    box.prune(0, "it is hopeless.")
    other.epoch(epoch)
    with pytest.raises(PrunedError, match=r"^after epoch 1: it is hopeless\.$"):
        hopeless.epoch(epoch)
    assert [len(box.take(number)) for number in (0, 1)] == [1, 1]

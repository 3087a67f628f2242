import os

import psutil
import pytest

from pipeline.settings import SettingsError
from pipeline.sweep import cores as under_test
from pipeline.sweep.cores import (
    VISIBLE_GPUS,
    WITHIN_OPERATION,
    check_needs,
    cores,
    cores_each,
    gpus,
    gpus_each,
    gpus_of,
    threads_within_operation,
    worker_count,
)


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """Sixteen cores, memory for many workers, no GPU."""
    monkeypatch.delenv(WITHIN_OPERATION, raising=False)
    monkeypatch.setenv(VISIBLE_GPUS, "")
    monkeypatch.setattr(under_test, "cores", lambda: 16)
    monkeypatch.setattr(under_test, "_free_bytes", lambda: 100 * 2**30)


def test_recurrent_models_have_one_thread_and_others_up_to_four(settings_for, monkeypatch):
    assert threads_within_operation(settings_for("model=lstm")) == 1
    assert threads_within_operation(settings_for("model=cnn")) == 4
    monkeypatch.setattr(under_test, "cores", lambda: 2)
    assert threads_within_operation(settings_for("model=cnn")) == 2


@pytest.mark.parametrize("model", ["cnn", "lstm"])
def test_threads_do_not_depend_on_the_number_of_workers(settings_for, model):
    numbers = {
        threads_within_operation(settings_for(f"model={model}", f"workers={workers}"))
        for workers in ("auto", 1, 2, 9)
    }
    assert len(numbers) == 1


def test_a_number_set_by_hand_counts(settings_for, monkeypatch):
    monkeypatch.setenv(WITHIN_OPERATION, "3")
    assert threads_within_operation(settings_for("model=lstm")) is None


def test_there_are_as_many_workers_as_jobs_and_cores_with_two_threads_each(settings_for):
    assert worker_count([settings_for("model=lstm")], 1) == 1
    assert worker_count([settings_for("model=lstm")], 3) == 3
    assert worker_count([settings_for("model=lstm")], 100) == 16
    assert worker_count([settings_for("model=cnn")], 100) == 8
    assert worker_count([settings_for("model=cnn", "workers=9")], 2) == 9


def test_workers_have_to_fit_into_memory(settings_for, monkeypatch):
    monkeypatch.setattr(under_test, "_free_bytes", lambda: 4 * 2**30)
    assert worker_count([settings_for("model=lstm")], 100) == 2
    monkeypatch.setattr(under_test, "_free_bytes", lambda: 0)
    assert worker_count([settings_for("model=lstm")], 100) == 1


def test_memory_of_a_container_is_limited(monkeypatch, tmp_path):
    monkeypatch.undo()
    free = under_test._free_bytes()
    assert 0 < free <= psutil.virtual_memory().total
    (tmp_path / "memory.max").write_text("3000\n")
    (tmp_path / "memory.current").write_text("1000\n")
    monkeypatch.setattr(under_test, "_CGROUP", tmp_path)
    assert under_test._free_bytes() == 2000
    (tmp_path / "memory.max").write_text("max\n")
    assert under_test._free_bytes() > 2000


def test_each_gpu_gets_one_worker(settings_for, monkeypatch):
    monkeypatch.setenv(VISIBLE_GPUS, "0,3")
    assert gpus() == ["0", "3"]
    assert worker_count([settings_for("model=cnn")], 100) == 2
    assert worker_count([settings_for("model=lstm")], 3) == 2
    monkeypatch.setenv(VISIBLE_GPUS, "-1")
    assert gpus() == []


def test_workers_respect_what_jobs_need(settings_for, monkeypatch):
    assert worker_count([settings_for("model=lstm", "resources.cpus=4")], 100) == 4
    assert worker_count([settings_for("model=cnn", "resources.cpus=1")], 100) == 16
    both = [settings_for("model=lstm"), settings_for("model=cnn", "resources.cpus=8")]
    assert worker_count(both, 100) == 2
    assert worker_count([settings_for("model=lstm", "resources.memory=30GB")], 100) == 3
    monkeypatch.setenv(VISIBLE_GPUS, "0,1,2,3,4")
    two = settings_for("resources.gpus=2")
    assert worker_count([two], 100) == 2
    assert [gpus_of(number, gpus_each([two])) for number in range(3)] == ["0,1", "2,3", "0,1"]
    none = settings_for("model=lstm", "resources.gpus=0")
    assert worker_count([none], 100) == 16
    assert gpus_of(0, gpus_each([none])) == ""
    monkeypatch.setenv(VISIBLE_GPUS, "")
    assert gpus_of(0, gpus_each([none])) is None


def test_a_need_that_this_machine_cannot_meet_is_refused(settings_for, monkeypatch):
    asking = ["resources.cpus=17", "resources.gpus=1", "resources.memory=1000000GB"]
    with pytest.raises(SettingsError) as refused:
        check_needs([settings_for(*asking)])
    cores, gpus, memory = refused.value.faults
    assert cores == "resources.cpus=17 must be at most 16, which this machine has."
    assert gpus == "resources.gpus=1 must be at most 0, which this machine has."
    assert memory.startswith("resources.memory=1000000GB must be at most ")
    check_needs([settings_for("resources.cpus=16")])


def test_cores_are_those_that_this_process_may_use(monkeypatch):
    monkeypatch.undo()
    assert 1 <= cores() <= (os.cpu_count() or 1)
    assert cores_each(1) == cores()
    assert cores_each(1000) == 1

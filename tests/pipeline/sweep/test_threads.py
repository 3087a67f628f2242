import os

import pytest

from pipeline.sweep.threads import WITHIN_OPERATION, cores_each, threads_within_operation


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    monkeypatch.delenv(WITHIN_OPERATION, raising=False)


def test_recurrent_models_have_one_thread_whatever_the_workers(settings_for):
    jobs = [settings_for("model=lstm"), settings_for("model=rnn", "workers=3")]
    assert threads_within_operation(jobs) == 1


def test_convolutions_share_the_cores(settings_for, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert threads_within_operation([settings_for("model=cnn", "workers=2")]) == 4
    assert threads_within_operation([settings_for("model=cnn", "workers=9")]) == 1
    assert threads_within_operation([settings_for("model=cnn")]) is None
    mixed = [settings_for("model=cnn", "workers=2"), settings_for("model=lstm", "workers=2")]
    assert threads_within_operation(mixed) == 4
    assert cores_each(3) == 2


def test_a_number_set_by_hand_goes(settings_for, monkeypatch):
    monkeypatch.setenv(WITHIN_OPERATION, "3")
    assert threads_within_operation([settings_for("model=lstm")]) is None

"""Other launchers of Hydra's, which are pretended: what they are asked for, and when."""

import pytest
from hydra.core.utils import JobReturn, JobStatus

from pipeline.settings import SettingsError
from pipeline.sweep.launchers import HydraJobs, no_preference
from pipeline.sweep.needs import AUTO
from pipeline.sweep.schedule import LaunchedJob


class Pretended:
    def __init__(self, **params):
        self.params, self.launched, self.asked = params, [], []

    def launch(self, lines, start):
        self.launched.append((start, len(lines)))
        self.asked.append(dict(self.params))
        done = [JobReturn() for _ in lines]
        for one in done:
            one.status = JobStatus.COMPLETED
        return done


class Source:
    def __init__(self, left):
        self.left, self.given, self.told = left, 0, []

    def next(self, preference=no_preference):
        if self.given == self.left:
            return None
        self.given += 1
        return self.given - 1, job()

    def ended(self, number, failure):
        self.told.append(number)


def job(threads=1, **asked):
    values = {"resources": AUTO.model_dump() | asked, "sweep": {"threads": threads}}
    return LaunchedJob("", values, [], 1)


def test_a_search_runs_in_batches_of_workers(settings_for):
    launcher, source = Pretended(), Source(5)
    jobs = HydraJobs(launcher)
    with jobs.started([settings_for("workers=2")], 5):
        jobs.search(source, None)
    assert launcher.launched == [(0, 2), (2, 2), (4, 1)]
    assert source.told == [0, 1, 2, 3, 4]


def test_slurm_is_asked_for_the_largest_needs_unless_an_option_of_its_own_says_otherwise():
    launcher = Pretended(cpus_per_task=None, gpus_per_node=None, mem_gb=7)
    jobs = HydraJobs(launcher)
    jobs.run([job(1), job(4)], None, fail_fast=False)
    jobs.run([job(1, gpus=2)], None, fail_fast=False)
    assert launcher.asked == [
        {"cpus_per_task": 4, "gpus_per_node": None, "mem_gb": 7},
        {"cpus_per_task": 1, "gpus_per_node": 2, "mem_gb": 7},
    ]


def test_a_launcher_that_cannot_ask_for_resources_refuses_them(settings_for):
    own = settings_for("resources.cpus=2")
    with pytest.raises(SettingsError, match="only hydra/launcher=workers, ray and submitit_slurm"):
        HydraJobs(Pretended()).started([own], 1).__enter__()
    with HydraJobs(Pretended(cpus_per_task=None)).started([own], 1):
        pass

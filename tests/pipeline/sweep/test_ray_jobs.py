"""How many jobs a cluster is given at a time; the nodes are pretended."""

import time

import pytest

from pipeline.errors import ClusterLostError
from pipeline.sweep.needs import Need

pytest.importorskip("ray", reason="Ray is not installed (the extra ray)")

from pipeline.sweep import ray_jobs
from pipeline.sweep.ray_jobs import RayJobs

SMALL, LARGE = Need(1, 0, 2**30), Need(4, 0, 2**30)


@pytest.fixture
def nodes(monkeypatch):
    found = []
    monkeypatch.setattr(ray_jobs.ray, "nodes", lambda: found)
    return found


def node(cpus):
    return {"Alive": True, "Resources": {"CPU": float(cpus), "memory": 64.0 * 2**30}}


def jobs(needs, workers="auto"):
    jobs = RayJobs(address=None, jobs_per_worker=20)
    jobs._needs, jobs._workers, jobs._placeable = set(needs), workers, time.monotonic()
    return jobs


def test_there_is_a_place_for_every_core_also_of_nodes_that_join_later(nodes):
    nodes.append(node(2))
    search = jobs([SMALL])
    assert search._places([]) == 2
    nodes.append(node(3))
    assert search._places([]) == 5
    assert jobs([SMALL, LARGE])._places([]) == 5
    assert jobs([LARGE])._places([]) == 1  # it waits for a node that takes it
    assert jobs([SMALL], workers=3)._places([]) == 3


def test_a_cluster_that_has_lost_all_suitable_nodes_ends_the_sweep_after_a_while(
    nodes, monkeypatch
):
    nodes += [node(4), node(2)]
    search = jobs([LARGE])
    assert search._places([]) == 1
    del nodes[0]
    assert search._places([]) == 1  # another node may come
    monkeypatch.setattr(ray_jobs, "_LOST_SECONDS", -1)
    with pytest.raises(ClusterLostError, match=r"a job needs 4 cores, .* \(2 cores, "):
        search._places([])
    assert jobs([SMALL])._places([]) == 2

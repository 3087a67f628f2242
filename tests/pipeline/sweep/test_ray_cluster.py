import pytest

from pipeline.sweep.needs import Need

pytest.importorskip("ray", reason="Ray is not installed (the extra ray)")

from pipeline.sweep.ray_cluster import impossible, places

GB = 2**30


def node(cpus, gpus=0, memory=16, alive=True):
    resources = {"CPU": float(cpus), "memory": float(memory * GB), "node:10.0.0.5": 1.0}
    return {"Alive": alive, "Resources": resources | ({"GPU": float(gpus)} if gpus else {})}


@pytest.mark.parametrize(
    ("need", "count"),
    [
        (Need(1, 0, GB), 4 + 8),
        (Need(3, 0, GB), 1 + 2),
        (Need(1, 0, 3 * GB), 4 + 5),
        (Need(1, 1, GB), 2),
        (Need(1, 0, 17 * GB), 0),
    ],
)
def test_nodes_take_as_many_jobs_as_their_scarcest_resource_allows(need, count):
    nodes = [node(4, gpus=2), node(8), node(64, alive=False), node(0)]
    assert places(nodes, need) == count


def test_a_need_that_no_node_meets_is_one_sentence():
    nodes = [node(4), node(8, gpus=1), node(64, gpus=8, alive=False)]
    assert impossible(nodes, [Need(8, 1, GB)]) == []
    assert impossible(nodes, [Need(16, 2, GB), Need(1, 0, GB)]) == [
        "resources: a job needs 16 cores, 2 GPUs, 1024MB of memory, and no node of the Ray cluster "
        "has that (4 cores, 16384MB of memory; 8 cores, 1 GPU, 16384MB of memory)."
    ]

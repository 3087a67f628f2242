import pytest

from pipeline.settings import SettingsError
from pipeline.settings.composer import composer
from pipeline.settings.schema import Resources
from pipeline.sweep.needs import AUTO, Need, cluster_need, memory_bytes, submitit_parameters
from pipeline.sweep.plan import plan_sweep


def asked(**given):
    return Resources(**{**AUTO.model_dump(), **given})


def test_a_job_asks_for_a_core_per_thread_and_no_gpu_unless_told():
    assert cluster_need(AUTO, 4) == Need(4, 0, 1536 * 2**20)
    assert cluster_need(AUTO, None).cpus == 1
    assert cluster_need(asked(cpus=3, gpus=1, memory="8GB"), 4) == Need(3, 1, 8 * 2**30)
    assert memory_bytes(asked(memory="500MB")) == 500 * 2**20


def test_slurm_is_asked_for_the_same():
    own = asked(cpus=3, gpus=1, memory="1536MB")
    given = {"cpus_per_task": 3, "gpus_per_node": 1, "mem_gb": 1.5}
    assert submitit_parameters(own, 4) == given
    assert submitit_parameters(AUTO, 2) == {"cpus_per_task": 2, "gpus_per_node": 0, "mem_gb": 4}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("resources.cpus=0", "resources.cpus=0 must be a whole number, 1 or more, or auto."),
        ("resources.gpus=-1", "resources.gpus=-1 must be a whole number, 0 or more, or auto."),
        ("resources.memory=4", "resources.memory=4 must be a size such as 4GB or 500MB or auto."),
        (
            "resources.memory=0GB",
            "resources.memory=0GB must be a size such as 4GB or 500MB or auto.",
        ),
        ("resources.cpus=1,2", "resources.cpus=1,2 names several; resources.cpus is one for"),
        ("resources.cpu=2", "`resources.cpu` is not an option of `resources` (did you mean `cpus`"),
    ],
)
def test_bad_values_are_refused_in_one_sentence(plan_for, given, sentence):
    with pytest.raises(SettingsError) as refused:
        plan_for("model=lstm", given)
    (fault,) = refused.value.faults
    assert fault.startswith(sentence)


def test_what_a_job_needs_is_no_part_of_the_run(plan_for):
    plain, asking = plan_for("units=4,6"), plan_for("units=4,6", "resources.cpus=2")
    assert [job.parameters for job in asking.jobs] == [job.parameters for job in plain.jobs]
    assert asking.title == plain.title
    assert asking.jobs[0].settings.resources.cpus == 2


def test_the_file_of_a_model_may_say_what_it_needs(tmp_path):
    (tmp_path / "model").mkdir()
    own = "# @package _global_\ndefaults: [lstm, _self_]\nresources: {memory: 8GB}\n"
    (tmp_path / "model/large.yaml").write_text(own)
    plan = plan_sweep(["model=large,lstm"], composer("train", str(tmp_path)))
    memory = [job.settings.resources.memory for job in plan.jobs]
    assert memory == ["8GB", "auto"]

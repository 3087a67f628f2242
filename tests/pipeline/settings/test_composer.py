"""What Hydra composes is what is planned, whatever files and overrides it is composed from."""

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.config_search_path import SearchPathQuery
from hydra.types import RunMode
from omegaconf import OmegaConf

from pipeline.settings import SettingsError
from pipeline.settings.composer import CONF, composer
from pipeline.sweep.plan import plan_sweep
from tests.support.pairwise import pairwise, with_new_values

MINE = """\
# @package _global_
defaults:
  - override /model: gru
  - override /optimizer: sgd
  - _self_
units: 7
epochs: 1
data_dir: ${oc.env:HOME}/data
"""
OPTIONS = {
    "experiment": ["", "+experiment=longer", "+experiment=mine", "+experiment=[mine,longer]"],
    "model": ["", "model=rnn", "model=cnn"],
    "optimizer": ["", "optimizer=rmsprop", "optimizer=adagrad", "optimizer={name: adam}"],
    "dataset": ["", "dataset=nusax"],
    "epochs": ["", "epochs=3", "++epochs=4", "seed=${epochs}"],
}
PAIRS = pairwise(OPTIONS, seed=0)


@pytest.fixture
def my_conf(tmp_path):
    folder = tmp_path / "my_conf"
    for name, text in {
        "experiment/mine": MINE,
        "experiment/longer": "# @package _global_\nepochs: 30\n",
        "experiment/unknown": "# @package _global_\nunitz: 3\n",
        "model/wide": "# @package _global_\ndefaults: [lstm, _self_]\nunits: 512\n",
        "own": "defaults: [train, override model: cnn, _self_]\nfilters: [5]\n",
    }.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def composed_by_hydra(folder, lines, config_name="train"):
    """As `--cfg job --resolve` shows it."""
    search_path = create_config_search_path(str(CONF))
    search_path.prepend("command-line", f"file://{folder}", SearchPathQuery(provider="schema"))
    config = ConfigLoaderImpl(search_path).load_configuration(config_name, lines, RunMode.RUN)
    return OmegaConf.to_container(
        OmegaConf.masked_copy(config, [key for key in config if key != "hydra"]), resolve=True
    )


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(with_new_values(PAIRS), id="every value"),
        pytest.param(PAIRS, id="every pair of values", marks=pytest.mark.slow),
    ],
)
def test_combinations_are_planned_as_hydra_composes_them(my_conf, rows):
    source, compared = composer("train", str(my_conf)), 0
    for row in rows:
        lines = [line for line in row.values() if line]
        try:
            (job,) = plan_sweep(lines, source).jobs
        except SettingsError:  # such as texts for images: refused, not altered
            continue
        assert job.values == composed_by_hydra(my_conf, lines), lines
        compared += 1
    assert compared > 2


def test_a_file_of_ones_own_sets_what_is_trained(my_conf):
    (job,) = plan_sweep(["+experiment=mine", "units=9"], composer("train", str(my_conf))).jobs
    assert (job.settings.model_name, job.settings.model.units) == ("gru", 9)
    assert (job.settings.training.epochs, job.settings.optimizer.name) == (1, "sgd")
    assert job.overrides == ("+experiment=mine", "units=9")


def test_files_of_ones_own_are_swept_and_named_by_what_they_change(my_conf):
    plan = plan_sweep(["+experiment=mine,longer"], composer("train", str(my_conf)))
    assert [job.settings.training.epochs for job in plan.jobs] == [1, 30]
    assert {"model", "units", "epochs"} <= set(plan.varied)


def test_a_file_beside_ours_and_one_on_hydras_search_path(my_conf):
    (job,) = plan_sweep(["model=wide"], composer("train", str(my_conf))).jobs
    assert job.settings.model.units == 512
    found = composer("train", None, [f"hydra.searchpath=[file://{my_conf}]"])
    assert plan_sweep(["model=wide"], found).jobs[0].values == job.values


def test_a_primary_file_of_ones_own(my_conf):
    (job,) = plan_sweep([], composer("own", str(my_conf))).jobs
    assert job.settings.model.filters == (5,)


def test_a_key_that_no_setting_has_is_refused_from_a_file_too(my_conf):
    with pytest.raises(SettingsError, match="`unitz` is not an option of model=lstm"):
        plan_sweep(["+experiment=unknown"], composer("train", str(my_conf)))


def test_an_option_of_hydras_own_that_is_not_there():
    faults = composer("train", None, ["hydra.sweeper.n_jobs=2", "hydra/launcher=slurm"])
    assert faults.hydra_faults()[0].startswith("hydra/launcher=slurm must be basic")
    (fault,) = composer("train", None, ["hydra.sweeper.n_jobs=2"]).hydra_faults()
    assert fault == (
        "`hydra.sweeper.n_jobs` is not an option; hydra.sweeper has max_batch_size or params."
    )


@pytest.mark.parametrize(
    "lines",
    [
        "experiment: ${dataset.name}-${epochs}",
        "experiment: e${batch_size}\nbatch_size: ${epochs}",
        "experiment: e${oc.select:epochs}",
        "experiment: ${oc.env:NOPE,e${.epochs}}",
        "experiment: ${oc.env:NOPE,'}'}${epochs}",
        "experiment: ${oc.env:NOPE,${schedule.name}}-${epochs}",
    ],
)
def test_an_interpolation_is_resolved_for_each_job(tmp_path, lines):
    (tmp_path / "own.yaml").write_text(f"defaults: [train, _self_]\n{lines}\n", encoding="utf-8")
    sweep = ["epochs=3,4", "batch_size=${epochs}"]
    jobs = plan_sweep(sweep, composer("own", str(tmp_path))).jobs
    by_hydra = [composed_by_hydra(tmp_path, list(job.overrides), "own") for job in jobs]
    assert [job.values for job in jobs] == by_hydra
    assert jobs[0].values["experiment"] != jobs[1].values["experiment"]


def test_an_interpolation_that_cannot_be_resolved_is_a_fault_unless_it_is_replaced(tmp_path):
    text = "defaults: [train, _self_]\nexperiment: ${oc.env:NOPE}\n"
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    source = composer("own", str(tmp_path))
    assert plan_sweep(["experiment=mine"], source).experiments == ["mine"]
    with pytest.raises(SettingsError, match=r"experiment=\$\{oc.env:NOPE\} cannot be resolved"):
        plan_sweep(["epochs=3"], source)

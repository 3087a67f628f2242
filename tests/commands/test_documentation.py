"""Every command and program in README and docs is run, in order, on little data."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from itertools import cycle, groupby
from operator import itemgetter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from PIL import Image

from pipeline.data import load
from pipeline.data.catalogue import SENTIMENTS
from pipeline.tracking.store import open_local
from tests.support.commands import call, environment
from tests.support.documentation import REPOSITORY, blocks, commands, kind, overrides, pages
from tests.support.fresh_store import copy_store, stock
from tests.support.once import once
from tests.support.ports import free_port

pytestmark = pytest.mark.slow

ADDING = "docs/adding-a-model.md"
ARRAYS = "docs/own-arrays.md"
TESTED_ELSEWHERE = (
    "docs/adding-a-layer.md",  # by test_adding_a_layer
    "docs/distributed.md",  # by test_server and test_launchers
)
MUCH_AS_README = (  # long: they train and ask what README does, with other values
    *("docs/own-data.md", "docs/python.md", "docs/search.md"),
    *("docs/studies/README.md", "docs/sweeps.md"),
)
README = "README.md"
README_PARTS = {  # by words of their blocks, which no other block depends on; they run side by side
    "models": ("model=rnn,lstm,gru",),
    "sweeps": ("'.[pipeline]'", "units=32,64,128 seed=", "hydra/sweeper="),
    "study": ("study=", "run_id=best "),  # whose runs read texts
}
REST = "the rest"
SMALL = "train_size=60 epochs=1 seed=0"
PATIENCE_SECONDS = 600  # for a block of commands
REAL_DATA = {
    r"(dataset|experiment)=nusax": "nusax",
    r"dataset=cifar10": "cifar-10-batches-bin",
}


@pytest.fixture(scope="session")
def made_workshop(tmp_path_factory, template):
    """The workshop as it is made once, and the id of its run."""
    return once(tmp_path_factory, "workshop", lambda folder: make_workshop(stock(folder, template)))


@pytest.fixture
def workshop(made_workshop, tmp_path):
    """A copy for one page, which sees no run of another page."""
    folder, run_id = made_workshop
    return SimpleNamespace(folder=copy_store(folder, tmp_path / "workshop"), run_id=run_id)


def make_workshop(folder):
    """Fill a folder as a reader has it: own texts and images, a trained run, its weights."""
    write_reviews(folder / "reviews.csv")
    write_reviews(folder / "new.csv")
    draw_photos(folder / "photos")
    (folder / "docs/studies").mkdir(parents=True)
    shutil.copy(REPOSITORY / "docs/studies/README.md", folder / "docs/studies")
    done = call("pipeline.train", "units=4", *SMALL.split(), cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    store = open_local(folder)
    experiment = store.client.get_experiment_by_name("reviews")
    (run,) = store.client.search_runs([experiment.experiment_id])
    fetched = call("pipeline.fetch", f"run_id={run.info.run_id}", "to=review-model", cwd=folder)
    assert fetched.returncode == 0, fetched.stderr
    write_models(folder, folder / "review-model/weights")
    return run.info.run_id


def write_models(folder, weights):
    """The run's model beside its card, an input, and the model as Keras wrote it before."""
    import keras

    for name in ("model.keras", "model.card.npz"):
        shutil.copy(weights / name, folder)
    model = keras.saving.load_model(folder / "model.keras")
    np.save(folder / "x.npy", np.zeros((2, *model.input_shape[1:]), np.int32))
    model.save(folder / "old.h5")


def write_reviews(path):
    texts = load("reviews", data_dir="none").train
    parts = ["train"] * 12 + ["validation"] * 3 + ["test"] * 3
    rows = [
        f'"{text}",{SENTIMENTS[label]},{part},{"yes" if label else "no"},{label + 0.5}'
        for text, label, part in zip(texts.texts[:180], texts.labels, cycle(parts), strict=False)
    ]
    path.write_text(
        "\n".join(["text,label,split,recommends,stars", *rows]) + "\n", encoding="utf-8"
    )


def draw_photos(folder):
    digits = load("digits", data_dir="none").train
    for number in range(300):
        label, grey = digits.labels[number], digits.inputs[number, ..., 0]
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.uint8(grey * 255)).save(folder / str(label) / f"{number}.png")


def parts():
    """Each page, README in parts."""
    yield from ((README, part) for part in (*README_PARTS, REST))
    for page in pages():
        if page not in (README, ADDING, ARRAYS, *TESTED_ELSEWHERE):
            marks = [pytest.mark.long] if page in MUCH_AS_README else []
            yield pytest.param(page, REST, marks=marks)


def part_of(page, block):
    if page != README:
        return REST
    has = {part for part, words in README_PARTS.items() if any(word in block for word in words)}
    assert len(has) <= 1, block
    return has.pop() if has else REST


@pytest.mark.parametrize("part", README_PARTS)
def test_readme_has_the_parts_that_are_run_apart(part):
    assert part in {part_of(README, block) for _, block in blocks(README, "bash", "python")}


@pytest.mark.parametrize(("page", "part"), [*parts()])
def test_the_commands_and_programs_of_a_page_run(page, part, workshop):
    left_out = []
    found = [one for one in blocks(page, "bash", "python") if part_of(page, one[1]) == part]
    for language, neighbours in groupby(found, itemgetter(0)):
        given = [block.replace("<run>", workshop.run_id) for _, block in neighbours]
        if language == "python":  # the second block uses what the first has imported
            run([sys.executable, "-c", "\n".join(given)], workshop.folder)
            continue
        for block in given:
            run_lines([line for line in commands(block) if is_run(line, left_out)], workshop.folder)
    if left_out:
        pytest.skip(f"without {' and '.join(dict.fromkeys(left_out))} in PIPELINE_DATA_DIR")


def test_a_model_is_added_as_the_page_says(stocked):
    """The page's module is put into an empty folder, and its commands are run there."""
    ((_, module),) = blocks(ADDING, "python")
    (stocked / "my_models.py").write_text(module, encoding="utf-8")
    ((_, block),) = blocks(ADDING, "bash")
    out = run_lines(commands(block), stocked)
    assert "features=64" in out
    assert out.count("exact") == 1  # of its three widths, see `fewer_jobs`


def test_arrays_are_trained_on_as_the_page_says(stocked):
    """The page's module, a NumPy file and a table are put into an empty folder."""
    ((_, module),) = blocks(ARRAYS, "python")
    (stocked / "my_data.py").write_text(module, encoding="utf-8")
    rng, y = np.random.default_rng(0), np.arange(90) % 3
    images = rng.integers(0, 256, (90, 8, 8), np.uint8)
    np.savez(stocked / "mnist.npz", x_train=images, y_train=y, x_test=images[:9], y_test=y[:9])
    rows = [f"{age},{2 * age},ann,{'abc'[age % 3]},{'xyz'[age % 3]}" for age in range(90)]
    table = "\n".join(["age,height,name,label,city", *rows])
    (stocked / "people.csv").write_text(table, encoding="utf-8")
    for _, block in blocks(ARRAYS, "bash"):
        out = run_lines(commands(block), stocked)
        assert "exact" in out


def is_run(command, left_out):
    """Whether a command can be run here; real data that it lacks are noted."""
    data_dir = Path(os.environ.get("PIPELINE_DATA_DIR", "none"))
    lacking = [
        folder
        for pattern, folder in REAL_DATA.items()
        if re.search(pattern, command) and not (data_dir / folder).is_dir()
    ]
    left_out += lacking
    return not lacking and kind(command) not in ("install", "suite")


def run_lines(lines, folder):
    """Run the commands of a block on little data; gives what they print.

    Python's come first, forked from a process that has the imports: none asks a block's server.
    """
    if any("pipeline.fetch" in line for line in lines):
        shutil.rmtree(folder / "review-model", ignore_errors=True)
    forked = [line for line in lines if line.startswith("python -m ") and kind(line) != "server"]
    printed = "".join(run_module(adapted(line), folder) for line in forked)
    if others := [line for line in lines if line not in forked]:
        printed += run(["bash", "-ec", as_script(others)], folder)
    return printed


def run_module(line, folder):
    _, _, module, *arguments = shlex.split(line, comments=True)
    if fewer := fewer_jobs(line):
        plan = call(module, *arguments, "dry_run=true", cwd=folder)
        assert plan.returncode == 0, f"{line}\n{plan.stdout}{plan.stderr}"
        arguments += fewer
    own = {"OPTUNA_STORAGE": f"sqlite:///{folder}/optuna.db"} if "OPTUNA_STORAGE" in line else {}
    done = call(module, *arguments, cwd=folder, timeout=PATIENCE_SECONDS, **own)
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout


def fewer_jobs(line):
    """Overrides that leave the last value of each setting that is varied.

    A dry run has checked the values that are left out. Each job would take 2 to 4 s of a core.
    """
    if kind(line) != "train" or "--help" in line or "dry_run=" in line:
        return []
    given = [one for one in overrides(line) if "=" in one]  # without -m
    parsed = OverridesParser.create().parse_overrides(given)
    last = {one.key_or_group: one for one in parsed}  # SMALL leaves one seed
    varied = [one for one in last.values() if one.is_choice_sweep() and one.value().simple_form]
    return [f"{one.key_or_group}={[*one.sweep_string_iterator()][-1]}" for one in varied]


def as_script(lines):
    """The same commands on little data, servers in the background at a free port."""
    port = free_port()
    return "\n".join(adapted(line, port) for line in lines)


def adapted(command, port=None):
    match kind(command):
        case "train" if "--help" not in command:
            few = " hydra.sweeper.n_trials=2" if "sweeper=optuna" in command else ""
            if "dataset=cifar10" in command:  # each of 10,000 test images is predicted twice
                few += " filters=[4] dense_units=8"
            return f"{command} {SMALL}{few}" + (" dataset=reviews" if "study=" in command else "")
        case "server":
            given = re.sub(r"--port \d+", "", command)
            option = f"port={port} open=false" if "pipeline.ui" in command else f"--port {port}"
            waiting = (
                f"for n in $(seq 200); do curl -s 127.0.0.1:{port} >/dev/null && break; sleep 0.3"
            )
            return f"{given} {option} >server.log 2>&1 &\n{waiting}; done; [ $n -lt 200 ]"
        case _:
            return re.sub(r"localhost:\d+", f"localhost:{port}", command).replace(
                "curl -s", "curl -sf"
            )


def run(command, folder):
    """Run to the end; whatever is left in the background ends with it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(PATH=path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        out, _ = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
    assert process.returncode == 0, f"{command[-1]}\n{out}"
    return out

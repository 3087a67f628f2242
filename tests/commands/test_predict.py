import csv
import io

import numpy as np
import pytest
from PIL import Image

from tests.support.commands import call
from tests.support.questions import ask


def test_texts_are_answered_without_tensorflow_or_mlflow(sweep):
    run_id = f"run_id={sweep.runs[0].info.run_id}"
    done = ask(sweep.folder, run_id, "makanannya enak sekali", "tidak = enak")
    assert done.returncode == 0, done.stderr
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [text for _, _, text in lines] == ["makanannya enak sekali", "tidak = enak"]
    assert all(shares.startswith(f"{name} ") for name, shares, _ in lines)


def test_a_csv_of_texts_is_answered_as_csv(sweep, tmp_path):
    (tmp_path / "texts.csv").write_text('id,text\n1,"enak, sekali"\n2,buruk\n')
    run_id = f"run_id={sweep.runs[0].info.run_id}"
    done = ask(sweep.folder, run_id, str(tmp_path / "texts.csv"))
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["text"] for row in rows] == ["enak, sekali", "buruk"]
    for row in rows:
        shares = {name: float(row[name]) for name in ("negative", "neutral", "positive")}
        assert row["class"] == max(shares, key=shares.get)


@pytest.mark.slow
def test_an_image_file_is_answered(images, tmp_path):
    from pipeline.data import load

    folder, run = images
    digit = load("digits", data_dir="none").test.inputs[0, ..., 0]
    Image.fromarray(np.rint(digit * 255).astype(np.uint8)).save(tmp_path / "digit.png")
    done = ask(folder, f"run_id={run.info.run_id}", str(tmp_path / "digit.png"))
    with np.load(f"{run.info.artifact_uri.removeprefix('file://')}/predictions/test.npz") as stored:
        expected = int(stored["probabilities"][0].argmax())
    assert done.stdout.split("\t")[0] == str(expected)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], 'run_id=... and something to answer are needed, such as "a text".'),
        (
            ["run_id=nothing", "enak"],
            "run_id=nothing must be the id of a run, the beginning of one (such as c8b8aa4e), ",
        ),
        (["run_id=RUN", "missing.csv"], "missing.csv cannot be read (No such file or directory)."),
    ],
)
def test_a_faulty_question_is_one_sentence(sweep, arguments, sentence):
    run_id = sweep.runs[0].info.run_id
    given = (word.replace("RUN", run_id) for word in arguments)
    done = call("pipeline.predict", *given, cwd=sweep.folder)
    assert done.returncode == 2
    assert done.stderr.startswith(sentence)
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_without_a_store_is_one_sentence(tmp_path):
    done = call("pipeline.predict", "run_id=1", "enak", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("There is no store at")
    assert list(tmp_path.iterdir()) == []

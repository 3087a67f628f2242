import hashlib

import numpy as np
import pytest

from pipeline.data import DatasetError, load

ROWS = [(f"teks nomor {n}", ("tidak", "ya", "mungkin")[n % 3]) for n in range(30)]
OPTIONS = {
    "text_column": "text",
    "label_column": "label",
    "validation_share": 0.1,
    "test_share": 0.2,
    "split_seed": 0,
}


def table(rows, header="text,label"):
    return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"


@pytest.fixture
def read(tmp_path):
    """Write files and load them as a data set."""

    def load_files(files, path="own.csv", **changes):
        for name, content in files.items():
            file = tmp_path / name
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        where = str(tmp_path / path)
        return load("csv", data_dir=tmp_path / "data", path=where, **OPTIONS | changes)

    return load_files


def pairs(split, classes):
    return set(zip(split.texts, (classes[label] for label in split.labels), strict=True))


def test_one_file_is_divided_in_shares_of_each_class(read):
    loaded = read({"own.csv": table(ROWS)})
    assert loaded.classes == ("mungkin", "tidak", "ya")
    for split, size in zip(loaded.splits.values(), (7, 1, 2), strict=True):
        assert np.bincount(split.labels).tolist() == [size] * 3
    together = [pairs(split, loaded.classes) for split in loaded.splits.values()]
    assert set.union(*together) == set(ROWS)
    assert sum(map(len, together)) == len(ROWS)


def test_the_same_seed_divides_alike_and_another_does_not(read):
    first, again = (read({"own.csv": table(ROWS)}) for _ in range(2))
    other = read({"own.csv": table(ROWS)}, split_seed=1)
    assert first.fingerprints == again.fingerprints
    assert set(other.test.texts) != set(first.test.texts)


def test_a_rare_class_has_an_example_in_each_part(read):
    loaded = read({"own.csv": table([*ROWS, *[("langka", "aneh")] * 3])})
    assert loaded.classes[0] == "aneh"
    assert [(split.labels == 0).sum() for split in loaded.splits.values()] == [1, 1, 1]


def test_a_folder_with_a_file_for_each_part(read):
    parts = {"own/train.csv": ROWS[:21], "own/valid.csv": ROWS[21:24], "own/test.csv": ROWS[24:]}
    loaded = read({name: table(rows) for name, rows in parts.items()}, "own")
    for split, rows in zip(loaded.splits.values(), parts.values(), strict=True):
        assert pairs(split, loaded.classes) == set(rows)
    assert sorted(loaded.checksums) == sorted(parts)
    assert "own, divided as given" in loaded.describe()


def test_validation_is_held_out_of_training_where_it_lacks(read):
    loaded = read({"own/train.csv": table(ROWS[:24]), "own/test.csv": table(ROWS[24:])}, "own")
    assert [len(split) for split in loaded.splits.values()] == [21, 3, 6]
    assert pairs(loaded.test, loaded.classes) == set(ROWS[24:])
    assert "validation held out of train" in loaded.source


def test_a_column_says_the_part(read):
    said = ["train"] * 20 + [" Val"] * 4 + ["TEST"] * 6
    rows = [(*row, part) for row, part in zip(ROWS, said, strict=True)]
    loaded = read({"own.csv": table(rows, "text,label,fold")}, split_column="fold")
    assert [len(split) for split in loaded.splits.values()] == [20, 4, 6]
    assert pairs(loaded.test, loaded.classes) == set(ROWS[24:])


def test_classes_can_be_given_and_are_else_in_order(read):
    assert read({"own.csv": table(ROWS)}, classes=("ya", "tidak", "mungkin")).classes[0] == "ya"
    stars = [(text, str(8 + n % 3)) for n, (text, _) in enumerate(ROWS)]
    assert read({"own.csv": table(stars)}).classes == ("8", "9", "10")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace(",", ";"),
        lambda text: text.replace(",", "\t"),
        lambda text: text.replace("\n", "\n\n").replace("text,label", " text , label "),
        lambda text: text.replace("\n", " \n"),
        lambda text: text + ",\n , \n",
        lambda text: text.replace("text,label", '"text","label"'),
        lambda text: "\n" + text,
    ],
)
def test_what_programs_write_is_read_alike(read, change):
    plain = read({"own.csv": table(ROWS)})
    changed = read({"own.csv": change(table(ROWS))})
    assert changed.fingerprints == plain.fingerprints
    assert changed.classes == plain.classes


def test_quotes_and_other_columns(read):
    rows = [(str(n), f'"{text}, ""kata""\nbaris"', label) for n, (text, label) in enumerate(ROWS)]
    loaded = read(
        {"own.csv": table(rows, "id,ulasan,kelas")}, text_column="ulasan", label_column="kelas"
    )
    assert 'teks nomor 0, "kata"\nbaris' in {t for s in loaded.splits.values() for t in s.texts}


def test_says_where_it_came_from(read):
    loaded = read({"own.csv": table(ROWS)})
    content = table(ROWS).encode()
    assert dict(loaded.checksums) == {"own.csv": hashlib.sha256(content).hexdigest()}
    assert loaded.source == "own.csv, divided by a seeded stratified choice"
    assert not loaded.synthetic


def test_is_found_in_the_data_directory_too(tmp_path):
    (tmp_path / "own.csv").write_text(table(ROWS))
    loaded = load("csv", data_dir=tmp_path, path="/elsewhere/own.csv", **OPTIONS)
    assert len(loaded.train) == 21


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "own.csv has no records"),
        ("text,label\n", "own.csv has no records"),
        (
            "kalimat,label\na,ya\n",
            "line 1 has the columns 'kalimat', 'label': .*`text` and `label`",
        ),
        ("text,label,text\na,ya,b\n", "line 1 has 2 columns `text`: expected one"),
        ('"text,label\na,ya\n', "line 1 is truncated or malformed: unexpected end of data"),
        (table([*ROWS, ("", "ya")]), "line 32 has an empty text: expected some words"),
        (table([*ROWS, ("baik", " ")]), "line 32 has an empty label: expected the name of a class"),
        (table([*ROWS, ("baik", "ya", "lagi")]), "line 32 has 3 columns: expected 2"),
        (table(ROWS).encode() + b"caf\xe9,ya\n", "line 32 is not UTF-8"),
        (table([*ROWS, ("baik", "yaa")]), "class 'yaa' has 1 example: expected at least 3"),
        (table([(text, "ya") for text, _ in ROWS]), "has 1 class .'ya'.: expected at least 2"),
    ],
)
def test_a_fault_in_a_file_is_one_sentence_with_its_place(read, content, told):
    with pytest.raises(DatasetError, match=told) as refusal:
        read({"own.csv": content})
    assert "own.csv" in str(refusal.value) or "class" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("files", "path", "changes", "told"),
    [
        ({}, "none.csv", {}, r"none.csv is not there, and neither is .*data/none.csv"),
        ({"own/a.csv": "text,label\n"}, "own", {}, "own has no such file: expected train.csv"),
        ({"own/train.csv": table(ROWS)}, "own", {}, "own has train.csv: expected train.csv, test"),
        (
            {f"own/{name}.csv": table(ROWS) for name in ("train", "test", "val", "valid")},
            "own",
            {},
            "has train.csv and valid.csv and val.csv and test.csv: expected .* one validation.csv",
        ),
        (
            {"own/train.csv": table(ROWS), "own/test.csv": table(ROWS)},
            "own",
            {"split_column": "fold"},
            "dataset.split_column=fold is for one file, but .*own is a folder",
        ),
        (
            {"own/train.csv": table(ROWS), "own/test.csv": table(ROWS[:2])},
            "own",
            {},
            "own has no test example of the class 'mungkin': expected at least one",
        ),
        (
            {"own.csv": table([(*row, "train") for row in ROWS], "text,label,fold")},
            "own.csv",
            {"split_column": "fold"},
            "own.csv has the part train, but not test: expected train, test and",
        ),
        (
            {"own.csv": table([(*row, "2") for row in ROWS], "text,label,fold")},
            "own.csv",
            {"split_column": "fold"},
            "line 2 has '2' in the column `fold`: expected train, validation or test",
        ),
        (
            {"own.csv": table(ROWS)},
            "own.csv",
            {"classes": ("ya", "tidak")},
            "own.csv, line 4 has the label 'mungkin': expected one of ya, tidak",
        ),
        (
            {"own.csv": table(ROWS)},
            "own.csv",
            {"classes": ("ya", "tidak", "mungkin", "entah")},
            "The class 'entah' has 0 examples: expected at least 3",
        ),
        (
            {"own.csv": table(ROWS)},
            "own.csv",
            {"test_share": 0.89},
            "'mungkin' has 10 examples: expected at least 11, to hold out 1 and 9 and train on",
        ),
        ({"own.csv": table(ROWS)}, "own.csv", {"train_size": 22}, "train_size=22 .* at most 21"),
    ],
)
def test_data_that_cannot_be_divided_are_one_sentence(read, files, path, changes, told):
    with pytest.raises(DatasetError, match=told) as refusal:
        read(files, path, **changes)
    assert "\n" not in str(refusal.value)

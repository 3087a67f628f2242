import hashlib
import os
import time

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
    loaded = read({"own.csv": table([*ROWS, *[(f"langka {n}", "aneh") for n in range(3)]])})
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


def test_a_file_of_the_same_name_elsewhere_is_not_taken_for_it(tmp_path):
    (tmp_path / "own.csv").write_text(table(ROWS))
    with pytest.raises(DatasetError, match=r"2024/own.csv does not exist; .*/own.csv has the same"):
        load("csv", data_dir=tmp_path, path="/2024/own.csv", **OPTIONS)


def test_copies_stay_in_one_part_and_other_data_are_divided_as_without(read):
    rows = [(f"kata{n}", str(n % 2)) for n in range(40)]
    loaded = read({"own.csv": table(rows * 6)})
    texts = [set(split.texts) for split in loaded.splits.values()]
    assert sum(map(len, texts)) == 40
    assert [len(split) for split in loaded.splits.values()] == [168, 24, 48]
    assert loaded.copies == {"validation": 0, "test": 0}
    once, twice = read({"own.csv": table(ROWS)}), read({"own.csv": table([*ROWS, ROWS[0]])})
    assert once.fingerprints["test"].startswith("4d1cde11948b")  # as before copies mattered
    assert len(twice.train) == 22


def test_copies_with_other_labels_and_in_other_letters_stay_in_one_part(read):
    rows = [
        (f"Kata {n}{mark}", label) for n in range(12) for mark, label in (("", "a"), ("!", "b"))
    ]
    loaded = read({"own.csv": table(rows)})
    assert loaded.copies == {"validation": 0, "test": 0}
    assert [np.bincount(split.labels).tolist() for split in loaded.splits.values()] == [
        [9, 9],
        [1, 1],
        [2, 2],
    ]


def test_copies_between_given_parts_are_counted_and_told(read):
    parts = {"train": ROWS[:12], "valid": ROWS[9:15], "test": [*ROWS[12:18], *ROWS[:3]]}
    loaded = read({f"own/{name}.csv": table(rows) for name, rows in parts.items()}, "own")
    assert loaded.copies == {"validation": 3, "test": 6}
    assert loaded.describe().endswith(
        "; 3 of 6 validation examples are copies of training ones, 6 of 9 test examples are copies "
        "of training or validation ones"
    )


def test_a_class_of_copies_cannot_be_divided(read):
    with pytest.raises(DatasetError, match="'aneh' has 6 examples, but only 1 without copies: too"):
        read({"own.csv": table([*ROWS, *[("langka", "aneh")] * 6])})


def test_classes_are_in_numerical_order_with_signs_and_fractions(read):
    for names in (["-2", "-1", "0", "1", "2"], ["-0.5", "0", "+1.5", "10"]):
        rows = [(f"kata{n}", names[-1 - n % len(names)]) for n in range(30)]
        assert list(read({"own.csv": table(rows)}).classes) == names


def test_booleans_are_spelled_as_in_the_data(read):
    rows = [(text, str(number % 2 == 0)) for number, (text, _) in enumerate(ROWS)]
    assert read({"own.csv": table(rows)}, classes=("true", "false")).classes == ("True", "False")


def test_many_labels_are_refused_at_once(read):
    rows = [(f"kata{n}", f"label{n}") for n in range(40_000)]
    before = time.process_time()
    with pytest.raises(DatasetError, match="'label0' has 1 example"):
        read({"own.csv": table(rows)})
    with pytest.raises(DatasetError, match=r"label0, .*, \.\.\. \(39,999 in all\)\.$"):
        read({"own.csv": table(rows)}, classes=tuple(label for _, label in rows[:-1]))
    assert time.process_time() - before < 15  # 39 s for the first alone, when each was looked for


def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "own.csv")
    with pytest.raises(DatasetError, match="it is a pipe or a device, not a file"):
        load("csv", data_dir=tmp_path, path=str(tmp_path / "own.csv"), **OPTIONS)


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
        ({}, "none.csv", {}, r"none.csv does not exist\.$"),
        (
            {"own.csv": table(ROWS)},
            "own.csv",
            {"classes": ("ya", "ya", "tidak", "mungkin")},
            "dataset.classes names 'ya' 2 times: expected once",
        ),
        (
            {"own.csv": table([*ROWS, *[(f"kata{n}", "x" * 260) for n in range(3)]])},
            "own.csv",
            {},
            r"a class whose name has 260 characters, 'x+'\.\.\.: expected at most 200",
        ),
        (
            {"own.csv": table([*ROWS, *[(f"kata{n}", "a\x1bb") for n in range(3)]])},
            "own.csv",
            {},
            r"the class 'a\\x1bb': expected a name in UTF-8 without control",
        ),
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


def test_numbers_are_targets_if_the_task_says_so(tmp_path):
    rows = [f"kata {number},{number / 4}" for number in range(40)]
    (tmp_path / "ratings.csv").write_text("\n".join(["text,stars", *rows]), encoding="utf-8")
    options = {"text_column": "text", "label_column": "stars", "split_seed": 0}
    options |= {"validation_share": 0.1, "test_share": 0.2, "vocabulary_size": 50}
    data = load(
        "csv", data_dir=tmp_path, path=str(tmp_path / "ratings.csv"), task="regression", **options
    )
    assert data.task == "regression"
    assert data.classes == ("stars",)
    labels = {split: one.labels for split, one in data.splits.items()}
    assert [len(one) for one in labels.values()] == [28, 4, 8]
    assert all(one.dtype == np.float32 for one in labels.values())
    assert sorted(np.concatenate(list(labels.values()))) == [number / 4 for number in range(40)]
    assert "1 target" in data.describe()
    (tmp_path / "ratings.csv").write_text("text,stars\nbaik,3\nburuk,nan\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="line 3 has the label 'nan': expected a finite number"):
        load(
            "csv",
            data_dir=tmp_path,
            path=str(tmp_path / "ratings.csv"),
            task="regression",
            **options,
        )

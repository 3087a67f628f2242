"""Tables of numbers in CSV files: all columns or some, classes or targets, faults by line."""

import numpy as np
import pytest

from pipeline.data import DatasetError, load

RNG = np.random.default_rng(0)
ROWS = [
    (f"{x:.3f}", f"{z:.3f}", f"name {n}", ("low", "high")[n % 2])
    for n, (x, z) in enumerate(RNG.normal(10, 2, (40, 2)))
]
OPTIONS = {
    "text_column": "text",
    "label_column": "label",
    "features": "all",
    "standardize": True,
    "validation_share": 0.1,
    "test_share": 0.2,
    "split_seed": 0,
}


def table(rows, header="x,z,name,label"):
    return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"


@pytest.fixture
def read(tmp_path):
    def load_text(text, **changes):
        (tmp_path / "own.csv").write_text(text, encoding="utf-8")
        options = {"data_dir": tmp_path / "data", "path": str(tmp_path / "own.csv")}
        return load("csv", **options | OPTIONS | changes)

    return load_text


def test_all_columns_with_numbers_are_read_and_the_others_named(read):
    loaded = read(table(ROWS))
    assert (loaded.kind, loaded.preprocessing.columns) == ("table", ("x", "z"))
    assert loaded.classes == ("high", "low")
    assert [len(split) for split in loaded.splits.values()] == [28, 4, 8]
    assert "without `name` (no numbers), divided by a seeded" in loaded.source
    np.testing.assert_allclose(loaded.train.inputs.mean(axis=0), 0, atol=1e-6)


def test_some_columns_are_read_in_the_order_given(read):
    loaded = read(table(ROWS), features=("z", "x"), standardize=False)
    assert loaded.preprocessing.columns == ("z", "x")
    found = {tuple(row) for split in loaded.splits.values() for row in split.inputs}
    assert found == {(np.float32(row[1]), np.float32(row[0])) for row in ROWS}


def test_labels_with_fractions_are_targets(read):
    loaded = read(table(ROWS), label_column="x", features=("z",))
    assert (loaded.train.labels.dtype, loaded.classes) == (np.float32, ("x",))
    assert [len(split) for split in loaded.splits.values()] == [28, 4, 8]
    stars = [(x, z, name, str(n % 3)) for n, (x, z, name, _) in enumerate(ROWS)]
    assert read(table(stars)).classes == ("0", "1", "2")


def test_few_distinct_rows_are_divided_though_they_are_copies(read):
    rows = [(str(n % 2), str(n // 2 % 2), "x", str((n % 2) ^ (n // 2 % 2))) for n in range(40)]
    assert len(read(table(rows)).test) == 8


@pytest.mark.parametrize(
    ("text", "changes", "sentence"),
    [
        (table([*ROWS, ("", "1", "n", "low")]), {}, "line 42 has '' in the column `x`: expected a"),
        (table([*ROWS, ("n/a", "1", "n", "low")]), {}, "line 42 has 'n/a' in the column `x`"),
        (table([*ROWS, ("nan", "1", "n", "low")]), {}, "line 42 has 'nan' in the column `x`"),
        (table([*ROWS, ("1_0", "1", "n", "low")]), {}, "line 42 has '1_0' in the column `x`"),
        (table([*ROWS, ("1", "1", "n", "")]), {}, "line 42 has an empty label"),
        (table(ROWS), {"features": ("x", "y")}, "expected `x` and `y` and `label` among them"),
        (table(ROWS), {"features": ("name",)}, "line 2 has 'name 0' in the column `name`"),
        ("name,label\na,0\nb,1\n", {}, "has no column of numbers besides label"),
    ],
)
def test_what_is_no_table_of_numbers_is_one_sentence(read, text, changes, sentence):
    with pytest.raises(DatasetError) as refused:
        read(text, **changes)
    assert sentence in str(refused.value)

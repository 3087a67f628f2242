import csv
import io

import pytest

from pipeline.cli.answers import answer
from pipeline.errors import DatasetError
from pipeline.settings import SettingsError
from scratch_forward import Classifier
from scratch_forward.preprocessing import TextPreprocessing
from tests.support.classifiers import PREPROCESSING, write_classifier


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifier")
    write_classifier(folder)
    return Classifier.load(folder)


@pytest.fixture
def asked(tmp_path, monkeypatch, capsys):
    """Write files, ask, and read the table or the lines that are printed."""
    monkeypatch.chdir(tmp_path)

    def ask(classifier, files, *words):
        for name, content in files.items():
            (tmp_path / name).write_text(content)
        answer(classifier, words or list(files))
        return list(csv.reader(io.StringIO(capsys.readouterr().out)))

    return ask


def test_every_row_comes_back_with_all_its_columns(classifier, asked):
    table = 'id;text;note\n7;enak;a\n8;"";b\n9;" ";\n10;"tidak; enak";"c,d"\n'
    header, *rows = asked(classifier, {"a.csv": table})
    assert header == ["id", "text", "note", "class", "buruk", "netral", "baik"]
    assert [row[:3] for row in rows] == [
        ["7", "enak", "a"],
        ["8", "", "b"],
        ["9", " ", ""],
        ["10", "tidak; enak", "c,d"],
    ]
    for row in rows:
        shares = dict(zip(header[4:], map(float, row[4:]), strict=True))
        assert row[3] == max(shares, key=shares.get)


def test_a_text_that_is_empty_is_a_row_too(classifier, asked):
    _, *rows = asked(classifier, {"a.csv": 'text\nenak\n""\nburuk\n'})
    assert [row[0] for row in rows] == ["enak", "", "buruk"]


def test_several_files_of_either_spelling_are_one_table(classifier, asked):
    files = {"a.csv": "text\nenak\n", "B.CSV": "text\nburuk\nbiasa\n", "c.csv": "text\n"}
    _, *rows = asked(classifier, files)
    assert [row[0] for row in rows] == ["enak", "buruk", "biasa"]


def test_no_column_is_overwritten(classifier, asked):
    named = TextPreprocessing(PREPROCESSING.vocabulary, 5, "post", ("text", "class", "id"))
    header, row = asked(Classifier(classifier.model, named), {"a.csv": "id,text\n1,enak\n"})
    assert header == [
        *("id", "text", "class"),
        *("text (predicted)", "class (predicted)", "id (predicted)"),
    ]
    assert row[:2] == ["1", "enak"]
    assert row[2] in ("text", "class", "id")


def test_files_with_other_columns_or_among_texts_are_refused(classifier, asked):
    with pytest.raises(SettingsError, match=r"b.csv has the columns \['text'\], but a.csv \['id'"):
        asked(classifier, {"a.csv": "id,text\n1,a\n", "b.csv": "text\na\n"})
    with pytest.raises(SettingsError, match=r"a.csv is a CSV file and 'enak' is not: ask for one"):
        asked(classifier, {}, "a.csv", "enak")
    with pytest.raises(DatasetError, match=r"a.csv, line 3 has 1 columns: expected 2"):
        asked(classifier, {"a.csv": "id,text\n1,a\n2\n"})
    with pytest.raises(DatasetError, match=r"none.csv cannot be read"):
        asked(classifier, {}, "none.csv")


def test_a_file_of_another_kind_is_told(classifier, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "0.png").touch()
    answer(classifier, ["0.png", "hydrating and soft", "x" * 5000])
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 3
    assert "0.png is a file, but this model reads texts" in " ".join(printed.err.split())

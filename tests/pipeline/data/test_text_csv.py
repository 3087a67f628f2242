from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.text_csv import parse
from pipeline.errors import DatasetError

COLUMNS = ("id", "text", "label")
CLASSES = ("negative", "neutral", "positive")
GOOD = b'id,text,label\n1,"baris satu,\nbaris dua",positive\n\n2,biasa,neutral\n'


def read(content):
    return parse(Path("some.csv"), content, COLUMNS, CLASSES)


@pytest.mark.parametrize(
    "content", [GOOD, b"\xef\xbb\xbf" + GOOD, GOOD.replace(b"\n", b"\r\n"), GOOD.rstrip()]
)
def test_reads_quotes_byte_order_marks_and_either_line_end(content):
    examples = read(content)
    assert [text.split() for text in examples.texts] == [
        ["baris", "satu,", "baris", "dua"],
        ["biasa"],
    ]
    assert examples.labels.tolist() == [2, 1]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "some.csv has no records"),
        (b"id,text,label\n", "some.csv has no records"),
        (b"id,kalimat,label\n1,a,neutral\n", "line 1 has the columns .*'kalimat'.*'text'"),
        (GOOD + b"3,hilang", "line 6 has 2 columns: expected 3"),
        (GOOD + b"3,a,b,neutral\n", "line 6 has 4 columns: expected 3"),
        (GOOD + b"3,bagus,happy\n", "line 6 has the label 'happy': expected one of negative, "),
        (GOOD + b"3,bagus,posit", "line 6 has the label 'posit'"),
        (GOOD + b"3, ,neutral\n", "line 6 has an empty text"),
        (GOOD + b'3,"belum sele', "line 6 is truncated or malformed: unexpected end of data"),
        (GOOD + b"3,caf\xe9,neutral\n", "line 6 is not UTF-8"),
    ],
)
def test_malformed_files_are_refused_with_the_line(content, told):
    with pytest.raises(DatasetError, match=told):
        read(content)


@given(st.integers(0, len(GOOD) - 1))
def test_a_truncated_file_is_never_half_read_within_a_record(length):
    """Cut anywhere, it is refused or ends exactly after a whole record."""
    try:
        examples = read(GOOD[:length])
    except DatasetError:
        return
    ends = {1: (GOOD.index(b"\n\n"), GOOD.index(b"2,biasa")), 2: (len(GOOD) - 1, len(GOOD))}
    first, last = ends[len(examples.texts)]
    assert first <= length <= last

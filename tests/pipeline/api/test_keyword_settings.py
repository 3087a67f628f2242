import numpy as np
import pytest

from pipeline.api.keyword_settings import as_words
from pipeline.settings import SettingsError
from pipeline.settings.composer import composer


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (32, "32"),
        ([32, 64], "32,64"),
        ((16, 32), "[16,32]"),
        ([(16, 32), ()], "[16,32],[]"),
        (1e-5, "1e-05"),
        (True, "true"),
        (None, "null"),
        (np.int64(3), "3"),
        (np.float32(0.5), "0.5"),
        ("lstm", "lstm"),
        ("my_models:textcnn", "my_models:textcnn"),
        (["a b", "c"], "'a b',c"),
        ("", "''"),
    ],
)
def test_a_value_is_written_as_on_the_command_line(value, word):
    assert as_words({"key": value}) == [f"key={word}"]


@pytest.mark.parametrize("text", ["3", "true", "a, b", "it's", "C:\\data\\", "\\'", "(x)", "ü=1"])
def test_a_text_stays_a_text_whatever_hydra_reads_in_it(text):
    (override,) = composer("train").parse(as_words({"data_dir": text}))
    assert override.value() == text
    assert isinstance(override.value(), str)


@pytest.mark.parametrize("value", [object(), {"a": 1}, [[1, 2]], []])
def test_a_value_that_no_setting_has_is_refused(value):
    with pytest.raises(SettingsError, match=r"^key=") as refused:
        as_words({"key": value, "units": 3})
    assert len(refused.value.faults) == 1


def top_level(data): ...


def test_a_function_is_named_by_its_module():
    assert as_words({"model": [top_level, "lstm"]}) == [f"model={__name__}:top_level,lstm"]


def test_a_function_that_workers_cannot_import_is_refused():
    def inner(data): ...

    for function, name in ((inner, "inner"), (lambda data: None, "<lambda>")):
        with pytest.raises(SettingsError, match=f"^model={name}.*%%writefile my_models.py"):
            as_words({"model": function})

import json

import pytest

from pipeline.reports.study.studies_index import END, START, write_index
from pipeline.settings import SettingsError


def verdict(folder, name, **changes):
    (folder / name).mkdir()
    document = {
        "question": f"What of {name}?",
        "headline": "a | b.",
        "claim": None,
        "outcome": None,
        "seeds": [3],
    }
    (folder / name / "verdict.json").write_text(json.dumps(document | changes))


def test_a_row_for_each_report_between_the_marks(tmp_path):
    (tmp_path / "README.md").write_text(f"before\n{START}\nold\n{END}\nafter\n")
    verdict(tmp_path, "b", claim="more is better", outcome="artefact", seeds=[2, 3])
    verdict(tmp_path, "a")
    assert write_index(tmp_path) == 2
    text = (tmp_path / "README.md").read_text()
    assert text.startswith("before\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text
    assert text.splitlines()[4:6] == [
        r"| [a](a/report.md) | What of a? | – | – | 3 | a \| b. |",
        r"| [b](b/report.md) | What of b? | more is better | **artefact** | 2 to 3 | a \| b. |",
    ]
    assert write_index(tmp_path) == 2
    assert (tmp_path / "README.md").read_text() == text


def test_a_folder_that_cannot_have_a_table(tmp_path):
    with pytest.raises(SettingsError, match="with the line <!-- table of reports --> is needed"):
        write_index(tmp_path)
    (tmp_path / "README.md").write_text(f"{START}{END}")
    with pytest.raises(SettingsError, match=r"no folder in it holds a verdict\.json"):
        write_index(tmp_path)

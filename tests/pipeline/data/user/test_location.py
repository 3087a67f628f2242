import pytest

from pipeline.data import DatasetError
from pipeline.data.user.location import found_again, locate


@pytest.fixture
def moved(tmp_path):
    """Arguments of `load` for data that lie in the data directory only."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/own.csv").touch()
    return {"name": "csv", "path": f"{tmp_path}/2024/own.csv", "data_dir": f"{tmp_path}/data"}


def test_data_of_the_same_name_are_not_taken_for_those_that_are_named(moved, tmp_path):
    with pytest.raises(DatasetError, match=r"2024/own.csv does not exist; .*data/own.csv has the"):
        locate(moved["path"], tmp_path / "data")
    with pytest.raises(DatasetError, match=r"2024/none.csv does not exist\.$"):
        locate(f"{tmp_path}/2024/none.csv", tmp_path / "data")
    assert locate(f"{tmp_path}/data/own.csv", tmp_path) == tmp_path / "data/own.csv"


def test_data_that_have_moved_are_found_again(moved, tmp_path):
    assert found_again(moved)["path"] == f"{tmp_path}/data/own.csv"
    (tmp_path / "2024").mkdir()
    (tmp_path / "2024/own.csv").touch()
    assert found_again(moved) == moved
    assert found_again({"name": "digits", "data_dir": "none"})["name"] == "digits"
    with pytest.raises(
        DatasetError, match=r"none.csv does not exist, and neither does .*data/none.cs"
    ):
        found_again({**moved, "path": "none.csv"})

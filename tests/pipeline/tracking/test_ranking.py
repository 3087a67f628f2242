import math

from pipeline.settings.scores import SCORES
from pipeline.tracking.ranking import criterion


def test_the_highest_f1_is_the_best_and_the_lowest_loss():
    scores = {"a": 0.2, "b": 0.9, "c": 0.5}
    assert criterion("f1_macro").best_first(scores, scores.get) == ["b", "c", "a"]
    assert criterion("loss").best_first(scores, scores.get) == ["a", "c", "b"]


def test_what_has_no_score_comes_last():
    scores = {"none": None, "nan": math.nan, "zero": 0.0}
    assert criterion("f1_macro").best_first(scores, scores.get) == ["zero", "none", "nan"]
    assert criterion("loss").best_first(scores, scores.get) == ["zero", "none", "nan"]


def test_the_primary_score_of_the_first_task_is_the_default():
    assert criterion("auto").metric == "validation/f1_macro"
    assert criterion("auto", ["regression", "binary"]).metric == "validation/r2"
    assert criterion("mae", ["binary"]).least


def test_nothing_is_chosen_by_the_test_data():
    for select_by in SCORES:
        assert criterion(select_by).metric == f"validation/{select_by}"
        assert criterion(select_by).test_metric == f"test/{select_by}"

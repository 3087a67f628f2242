from pipeline.cli import results_table
from pipeline.cli.results_table import show_results
from pipeline.tracking.queries import RunResult
from pipeline.tracking.ranking import criterion

CHOSEN = criterion("f1_macro")


def result(run_id, validation=None, test=None, **told):
    scores = {CHOSEN.metric: validation, CHOSEN.test_metric: test}
    known = {name: score for name, score in scores.items() if score is not None}
    usual = {
        **{"name": f"units={run_id}", "status": "FINISHED", "metrics": known, "parity": "exact"},
        **{"parity_reason": "", "degenerate": "no", "error": None, "seconds": 1.0},
    }
    return RunResult(**{"run_id": run_id * 16, **usual, **told})


def shown(results, done=()):
    with results_table.console.capture() as printed:
        show_results(results, done, CHOSEN)
    return printed.get().splitlines()


def row_of(lines, run_id):
    return next(line.split() for line in lines if line.startswith(run_id * 4))


def test_the_best_is_told_by_validation_with_its_test_score_and_what_best_means():
    lines = shown([result("a1", 0.7, 0.1), result("b2", 0.5, 0.9)], done={"b2" * 16})
    head = next(line.split() for line in lines if "seconds" in line)
    assert head == ["run", "settings", "val", "F1", "test", "F1", "parity", "seconds"]
    assert row_of(lines, "a1") == ["a1" * 4, "units=a1", "0.7000", "0.1000", "exact", "1.0", "best"]
    assert row_of(lines, "b2")[-1] == "done"
    assert any(line.startswith("best: the highest validation macro F1") for line in lines)


def test_a_run_without_the_validation_score_is_never_the_best():
    """Neither by its test score nor alone among others that have none."""
    lines = shown([result("a1", None, 0.9), result("b2", None, 0.8)])
    assert row_of(lines, "a1") == ["a1" * 4, "units=a1", "-", "0.9000", "exact", "1.0"]
    assert not any("best" in line for line in lines)


def test_what_went_wrong_is_told_below():
    lines = shown(
        [
            result("a1", 0.2, 0.2, degenerate="predicts only good"),
            result("b2", status="FAILED", parity=None, error="DivergedError: nan"),
            result("c3", 0.1, 0.1, parity="close", parity_reason="rounding."),
        ]
    )
    assert row_of(lines, "a1")[-1] == "degenerate"
    assert row_of(lines, "b2")[-1] == "FAILED"
    assert "units=a1: on the test set the model predicts only good." in lines
    assert "units=b2: DivergedError: nan" in lines
    assert "units=c3: parity close: rounding." in lines


def test_a_name_from_outside_is_neither_markup_nor_obeyed():
    lines = shown([result("a1", 0.2, 0.2, name="classes=[b]no[/b]\x1b[2J")])
    assert "classes=[b]no[/b]␛[2J" in row_of(lines, "a1")

"""`pipeline.evaluate`: runs on other labelled data, as a table."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.api.changed_code import forget_changed_code
from pipeline.api.keyword_settings import as_words
from pipeline.api.settings_of import settings_of
from pipeline.settings import parse_tracking

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.evaluation.evaluate_run import Evaluation


def evaluate(
    run_id: str | Sequence[str] | None = None,
    *words: str,
    sweep: str | None = None,
    experiment: str | None = None,
    select_by: str | None = None,
    split: str | None = None,
    name: str | None = None,
    tracking: str | None = None,
    **settings: Any,
) -> "pd.DataFrame":
    """Evaluate runs on other labelled data: scores, and parity of Keras and NumPy.

    >>> pipeline.evaluate("best", **{"dataset.path": "new.csv"})  # doctest: +SKIP

    Everything is logged to the runs under the name of the data, as by `python -m
    pipeline.evaluate`.

    Args:
        run_id: the id of a run, the first characters of it, `latest` or `best`; or several.
        words: settings of the data as on the command line, `"dataset=csv"`.
        sweep: all finished runs of this sweep: its id, or `latest`.
        experiment: all finished runs of this experiment.
        select_by: the validation score that selects the best run.
        split: which part of data that are divided: `train`, `validation` or `test`.
        name: name of the data in metrics and artifacts; None for that of the file or data set.
        tracking: address of an MLflow server; None for `MLFLOW_TRACKING_URI`, or the store of the
            working directory.
        settings: settings of the data by name, `dataset="csv"`.

    Returns:
        One row per run, best first: `run_id`, `name`, the scores, `parity`, `copies` (examples
        that occur in the training data), and the `difference` of the primary score from the best
        run with the ends `low` and `high` of its 95 % interval.

    Raises:
        PipelineError: when no run matches, or the data do not fit a run.
    """
    given: Mapping[str, Any] = {
        "run_id": ",".join(run_id) if isinstance(run_id, list | tuple) else run_id,
        "sweep": sweep,
        "experiment": experiment,
        "select_by": select_by,
        "split": split,
        "name": name,
    }
    words = (*words, *as_words(settings))
    forget_changed_code()
    values = settings_of("evaluate", tracking, given, words)

    from pipeline.evaluation.evaluate_chosen import chosen_data, chosen_runs, evaluate_chosen
    from pipeline.tracking.store import existing_store

    store = existing_store(**parse_tracking(values["tracking"]).model_dump())
    return _table(evaluate_chosen(store, chosen_runs(values), chosen_data(values)))


def _table(evaluations: Sequence["Evaluation"]) -> "pd.DataFrame":
    import pandas as pd

    from pipeline.evaluation.comparison import best_first, comparable, compare_runs

    ranked = best_first(evaluations)
    differences: list[dict[str, float]] = [{} for _ in ranked]
    if len(ranked) > 1 and comparable(ranked):
        for row, one in zip(differences[1:], compare_runs(ranked), strict=True):
            row["difference"] = one.difference
            if one.interval is not None:
                row |= {"low": one.interval.low, "high": one.interval.high}
    return pd.DataFrame(
        [
            {
                "run_id": one.run.info.run_id,
                "name": one.run.info.run_name,
                **one.scores,
                "parity": one.parity.tag,
                "copies": one.copies,
                **difference,
            }
            for one, difference in zip(ranked, differences, strict=True)
        ]
    )

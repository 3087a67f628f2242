"""The ranking of runs: by a validation score, so that test data never select a model."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from pipeline.settings.scores import SCORES, selected_score
from pipeline.tracking import names

Item = TypeVar("Item")


@dataclass(frozen=True)
class Criterion:
    """A score that ranks runs, computed with the weights that a run keeps."""

    metric: str  # its name in MLflow
    test_metric: str  # the same score on the test data, for display
    column: str  # column heading, `F1`
    meaning: str  # definition of "best" in one line
    least: bool  # whether lower is better, as for a loss

    def best_first(
        self, items: Iterable[Item], score: Callable[[Item], float | None]
    ) -> list[Item]:
        """Sort by score; items whose score is missing or NaN keep their order at the end."""

        def place(item: Item) -> tuple[bool, float]:
            value = score(item)
            if value is None or math.isnan(value):
                return True, 0.0
            return False, value if self.least else -value

        return sorted(items, key=place)


def criterion(select_by: str, tasks: Iterable[str] = ()) -> Criterion:
    """Return the criterion that a value of `select_by=` names.

    Args:
        select_by: a score, or `auto` for the primary score of the first task.
    """
    select_by = selected_score(select_by, tasks)
    score = SCORES[select_by]
    extreme = "lowest" if score.least else "highest"
    return Criterion(
        metric=names.VALIDATION + select_by,
        test_metric=names.TEST + select_by,
        column=score.column,
        meaning=(
            f"best: the {extreme} validation {score.title} (select_by={select_by}). The test data "
            "have no part in the choice."
        ),
        least=score.least,
    )

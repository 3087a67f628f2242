"""What runs are ranked by: a score on validation data, so that test data choose nothing."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from pipeline.settings.scores import SCORES
from pipeline.tracking import names

Item = TypeVar("Item")


@dataclass(frozen=True)
class Criterion:
    """A score that runs are ranked by, taken from the weights that a run keeps.

    Attributes:
        metric: its name in MLflow.
        test_metric: the same score on the test data, shown beside it.
        column: for the head of a column, `F1`.
        meaning: of the word best, in one line.
        least: whether the least is the best, as of a loss.
    """

    metric: str
    test_metric: str
    column: str
    meaning: str
    least: bool

    def best_first(
        self, items: Iterable[Item], score: Callable[[Item], float | None]
    ) -> list[Item]:
        """Sort by score; items without one, or whose score is NaN, keep their order at the end."""

        def place(item: Item) -> tuple[bool, float]:
            value = score(item)
            if value is None or math.isnan(value):
                return True, 0.0
            return False, value if self.least else -value

        return sorted(items, key=place)


def criterion(select_by: str) -> Criterion:
    """The criterion that a value of `select_by=` names."""
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

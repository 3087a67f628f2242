"""The scores that the best of several runs may be chosen by: values of `select_by=`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """A score of a model on a split of the data.

    Attributes:
        title: for prose, `macro F1`.
        column: for the head of a column, `F1`.
        least: whether the least is the best, as of a loss.
    """

    title: str
    column: str
    least: bool = False


SCORES = {
    "f1_macro": Score("macro F1", "F1"),
    "f1_weighted": Score("weighted F1", "weighted F1"),
    "accuracy": Score("accuracy", "accuracy"),
    "loss": Score("loss", "loss", least=True),
}
SELECT_BY = tuple(SCORES)

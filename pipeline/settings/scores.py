"""The scores that can select the best of several runs: the values of `select_by=`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """A score of a model on a split.

    Attributes:
        title: name in prose, `macro F1`.
        column: column heading, `F1`.
        least: whether lower is better, as for a loss.
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

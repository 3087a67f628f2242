"""`my_data:load`: a data set that a function of the user returns."""

from __future__ import annotations

from typing import Any

from pipeline.data.examples import Source
from pipeline.data.user.array_splits import read_splits
from pipeline.errors import DatasetError, summary
from pipeline.functions.lookup import FunctionError, own_function


def read(
    name: str,
    *,
    validation_share: float,
    split_seed: int,
    task: str | None = None,
    **arguments: Any,
) -> Source:
    """Call a function and check what it returns.

    Args:
        name: `module:function`.
        validation_share: share of the training examples for validation, if it returns none.
        split_seed: decides which examples are held out.
        task: the meaning of the labels, if it is given.
        arguments: the keyword arguments of the function.

    Raises:
        DatasetError: when the function does not exist, raises, or returns something else.
    """
    where = f"dataset={name}"
    try:
        function, _ = own_function("dataset", name)
    except FunctionError as error:
        raise DatasetError(str(error)) from error
    try:
        returned = function(**arguments)
    except Exception as error:
        raise DatasetError(f"{where} raises {summary(error)}") from error
    if returned is None:
        raise DatasetError(f"{where} returns None: does the function lack a `return`?")
    return read_splits(
        returned,
        f"what {where} returns",
        f"returned by {name}",
        validation_share=validation_share,
        split_seed=split_seed,
        task=task,
    )

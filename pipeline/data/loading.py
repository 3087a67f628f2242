"""From a data set's name to arrays: read, select the training examples, preprocess."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.data.builtin import digits, reviews
from pipeline.data.catalogue import SPECS, Spec, spec_of
from pipeline.data.dataset import Dataset, Split
from pipeline.data.examples import Examples, Source
from pipeline.data.label_task import AUTO, task_of_labels
from pipeline.data.preprocessing import Reading, fitted, split
from pipeline.data.published import cifar10, nusax
from pipeline.data.sampling import strata, stratified_subset
from pipeline.data.user import csv_tables, csv_texts, function_data, image_folder, npz_file
from pipeline.errors import DatasetError
from pipeline.functions.lookup import is_own
from scratch_forward.preprocessing import Preprocessing

_LABELS = {
    "multiclass": "they are classes",
    "multilabel": "they are several labels per example",
    "regression": "they are numbers",
}


@dataclass(frozen=True, eq=False)
class _Prepared:
    """The output of a data set's reader, and the preprocessing for a model's input."""

    spec: Spec
    source: Source
    train: Examples
    preprocessing: Preprocessing


def load(name: str, *, flips: bool | None = None, task: str = AUTO, **options: Any) -> Dataset:
    """Load a data set, ready for training; equal arguments give equal arrays.

    Args:
        name: a name in the catalogue, or a user's function, `module:function`.
        flips: for images, whether a mirror image keeps its class; None uses the catalogue's value.
        task: the meaning of the labels; `auto` is the one that they suggest.
        options: `data_dir`: folder that downloaded data sets are read from and stored in;
            `train_size`: number of training examples, a stratified subset that contains every
            smaller one; None uses all;
            `standardize`: for tables and arrays, whether they are standardized;
            `vocabulary_size`: for texts, maximum size of the vocabulary including padding and
            unknown;
            `max_length`: for texts, ids per row; None uses the longest training text;
            `padding`: for texts, ``"post"`` or ``"pre"``;
            and the options of the data set's reader, such as NusaX's `language`, or the arguments
            of the function.

    Raises:
        DatasetError: when an argument is invalid or the data are not available.
    """
    prepared = _prepare(name, task=task, **options)
    spec, source = prepared.spec, prepared.source
    return Dataset(
        name=spec.name,
        kind=prepared.preprocessing.kind,
        task=_task(task, source),
        classes=source.classes,
        train=split(prepared.preprocessing, prepared.train),
        validation=split(prepared.preprocessing, source.validation),
        test=split(prepared.preprocessing, source.test),
        preprocessing=prepared.preprocessing,
        synthetic=spec.synthetic,
        flips=spec.flips if flips is None else flips,
        source=source.origin,
        checksums=source.checksums,
        copies=_copies(prepared.train, source.validation, source.test),
    )


def load_test(
    name: str, *, flips: bool | None = None, task: str = AUTO, **options: Any
) -> tuple[Split, tuple[str, ...]]:
    """Return the test examples of `load` with the same arguments, and the class names.

    Only the test examples are preprocessed; the other splits stay raw.
    """
    prepared = _prepare(name, task=task, **options)
    return split(prepared.preprocessing, prepared.source.test), prepared.source.classes


def load_train(
    name: str, *, flips: bool | None = None, task: str = AUTO, **options: Any
) -> tuple[Examples, Split]:
    """Return the training examples of `load` with the same arguments, raw and preprocessed."""
    prepared = _prepare(name, task=task, **options)
    return prepared.train, split(prepared.preprocessing, prepared.train)


def read_source(
    name: str, *, data_dir: str | Path, task: str | None = None, **options: Any
) -> Source:
    """Read a data set as its source has it, before subsets and preprocessing.

    Args:
        name: a name in the catalogue, or a user's function.
        data_dir: folder that downloaded data sets are read from and stored in.
        task: the meaning of the labels; None leaves it to them.
        options: the options of the data set's reader, or the arguments of the function.

    Raises:
        DatasetError: when an argument is invalid or the data are not available.
    """
    if name not in SPECS and not is_own(name):
        raise DatasetError(f"dataset={name!r} is unknown: expected one of {', '.join(SPECS)}.")
    return _read(spec_of(name), Path(data_dir), options, task)


def _prepare(
    name: str,
    *,
    train_size: int | None = None,
    standardize: bool = False,
    vocabulary_size: int | None = None,
    max_length: int | None = None,
    padding: str = "post",
    task: str = AUTO,
    **options: Any,
) -> _Prepared:
    source = read_source(name, task=None if task == AUTO else task, **options)
    train = source.train
    if train_size is not None:
        groups, _ = strata(train.labels, source.classes)
        train = train.take(stratified_subset(groups, train_size, name))
    reading = Reading(
        source.classes,
        scale=source.scale,
        columns=source.columns,
        standardize=standardize,
        vocabulary_size=vocabulary_size,
        max_length=max_length,
        padding=padding,
    )
    return _Prepared(spec_of(name), source, train, fitted(reading, train))


def _task(task: str, source: Source) -> str:
    """Return the task; two classes can be one output (`binary`) as well as two.

    Raises:
        DatasetError: when the labels do not fit the task that was given.
    """
    suggested = task_of_labels(source.train.labels)
    if task == "binary" and suggested == "multiclass" and len(source.classes) == 2:
        return task
    if task not in (AUTO, suggested):
        raise DatasetError(
            f"task={task} does not fit the labels of {source.origin}: {_LABELS[suggested]} "
            f"({', '.join(source.classes)})."
        )
    return suggested


def _copies(train: Examples, validation: Examples, test: Examples) -> dict[str, int]:
    """Count the examples of each later split that also occur in an earlier one."""
    seen = set(train.contents())
    found = {}
    for name, examples in (("validation", validation), ("test", test)):
        contents = examples.contents()
        found[name] = sum(one in seen for one in contents)
        seen.update(contents)
    return found


def _read(spec: Spec, data_dir: Path, options: dict[str, Any], task: str | None) -> Source:
    match spec.name:
        case "digits":
            return digits.read(**options)
        case "reviews":
            return reviews.read(**options)
        case "cifar10":
            return cifar10.read(data_dir, **options)
        case "csv" if options.get("features"):
            del options["text_column"]
            return csv_tables.read(data_dir, task=task, **options)
        case "csv":
            return csv_texts.read(data_dir, task=task, **options)
        case "image_folder":
            return image_folder.read(data_dir, **options)
        case "npz":
            return npz_file.read(data_dir, task=task, **options)
        case "nusax":
            return nusax.read(data_dir, **options)
        case _:
            return function_data.read(spec.name, task=task, **options)

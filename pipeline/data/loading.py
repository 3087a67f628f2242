"""From a data set's name to arrays: read, select the training examples, preprocess."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.data.builtin import digits, reviews
from pipeline.data.catalogue import SPECS, Spec
from pipeline.data.dataset import Dataset, Split
from pipeline.data.examples import Examples, Source
from pipeline.data.label_task import AUTO, task_of_labels
from pipeline.data.published import cifar10, nusax
from pipeline.data.sampling import stratified_subset
from pipeline.data.user import csv_texts, image_folder
from pipeline.errors import DatasetError
from scratch_forward.errors import PreprocessingError
from scratch_forward.preprocessing import ImagePreprocessing, TextPreprocessing

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
    preprocessing: TextPreprocessing | ImagePreprocessing

    def split(self, examples: Examples) -> Split:
        if isinstance(self.preprocessing, TextPreprocessing):
            return Split(self.preprocessing.encode(examples.texts), examples.labels, examples.texts)
        return Split(self.preprocessing.encode(examples.images), examples.labels)


def load(name: str, *, flips: bool | None = None, task: str = AUTO, **options: Any) -> Dataset:
    """Load a data set, ready for training; equal arguments give equal arrays.

    Args:
        name: a name in the catalogue.
        flips: for images, whether a mirror image keeps its class; None uses the catalogue's value.
        task: the meaning of the labels; `auto` is the one that they suggest.
        options: `data_dir`: folder that downloaded data sets are read from and stored in;
            `train_size`: number of training examples, a stratified subset that contains every
            smaller one; None uses all;
            `vocabulary_size`: for texts, maximum size of the vocabulary including padding and
            unknown;
            `max_length`: for texts, ids per row; None uses the longest training text;
            `padding`: for texts, ``"post"`` or ``"pre"``;
            and the options of the data set's reader, such as NusaX's `language`.

    Raises:
        DatasetError: when an argument is invalid or the data are not available.
    """
    prepared = _prepare(name, **options)
    spec, source = prepared.spec, prepared.source
    return Dataset(
        name=spec.name,
        kind=spec.kind,
        task=_task(task, source),
        classes=source.classes,
        train=prepared.split(prepared.train),
        validation=prepared.split(source.validation),
        test=prepared.split(source.test),
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
    prepared = _prepare(name, **options)
    return prepared.split(prepared.source.test), prepared.source.classes


def _prepare(
    name: str,
    *,
    data_dir: str | Path,
    train_size: int | None = None,
    vocabulary_size: int | None = None,
    max_length: int | None = None,
    padding: str = "post",
    **options: Any,
) -> _Prepared:
    if name not in SPECS:
        raise DatasetError(f"dataset={name!r} is unknown: expected one of {', '.join(SPECS)}.")
    spec = SPECS[name]
    source = _read(spec, Path(data_dir), options)
    train = source.train
    if train_size is not None:
        train = train.take(stratified_subset(train.labels, train_size, name))
    preprocessing = _preprocessing(
        spec, source, train, vocabulary_size=vocabulary_size, max_length=max_length, padding=padding
    )
    return _Prepared(spec, source, train, preprocessing)


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


def _read(spec: Spec, data_dir: Path, options: dict[str, Any]) -> Source:
    match spec.name:
        case "digits":
            return digits.read(**options)
        case "reviews":
            return reviews.read(**options)
        case "cifar10":
            return cifar10.read(data_dir, **options)
        case "csv":
            return csv_texts.read(data_dir, **options)
        case "image_folder":
            return image_folder.read(data_dir, **options)
        case _:
            return nusax.read(data_dir, **options)


def _preprocessing(
    spec: Spec,
    source: Source,
    train: Examples,
    *,
    vocabulary_size: int | None,
    max_length: int | None,
    padding: str,
) -> TextPreprocessing | ImagePreprocessing:
    """Fit the preprocessing on the selected training examples only."""
    if spec.kind == "image":
        height, width, channels = train.images.shape[1:]
        return ImagePreprocessing((height, width, channels), source.scale, source.classes)
    try:
        return TextPreprocessing.fit(
            train.texts,
            source.classes,
            vocabulary_size=vocabulary_size,
            max_length=max_length,
            padding=padding,
        )
    except PreprocessingError as error:
        raise DatasetError(str(error)) from error

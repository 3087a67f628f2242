"""From a data set's name to arrays: read, choose the training examples, preprocess."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.data.builtin import digits, reviews
from pipeline.data.catalogue import SPECS, Spec
from pipeline.data.dataset import Dataset, Split
from pipeline.data.examples import Examples, Source
from pipeline.data.published import cifar10, nusax
from pipeline.data.sampling import stratified_subset
from pipeline.data.user import csv_texts, image_folder
from pipeline.errors import DatasetError
from scratch_forward.errors import PreprocessingError
from scratch_forward.preprocessing import ImagePreprocessing, TextPreprocessing


@dataclass(frozen=True, eq=False)
class _Prepared:
    """What a data set's reader gave, and what turns it into a model's input."""

    spec: Spec
    source: Source
    train: Examples
    preprocessing: TextPreprocessing | ImagePreprocessing

    def split(self, examples: Examples) -> Split:
        if isinstance(self.preprocessing, TextPreprocessing):
            return Split(self.preprocessing.encode(examples.texts), examples.labels, examples.texts)
        return Split(self.preprocessing.encode(examples.images), examples.labels)


def load(name: str, *, flips: bool | None = None, **options: Any) -> Dataset:
    """Load a data set, ready for training; the same arguments always give the same arrays.

    Args:
        name: one of the catalogue's.
        flips: images: whether a mirror image keeps its class; None takes the catalogue's word.
        options: data_dir: where downloaded data sets lie, and are downloaded to;
            train_size: use only so many training examples: stratified, and a larger number
            contains a smaller one's; None uses all;
            vocabulary_size: texts: most entries of the vocabulary, padding and unknown included;
            max_length: texts: ids in a row; None takes the longest training text's;
            padding: texts: ``"post"`` or ``"pre"``;
            and what the data set's own reader takes, such as NusaX's `language`.

    Raises:
        DatasetError: with one sentence, when an argument is impossible or data cannot be had.
    """
    prepared = _prepare(name, **options)
    spec, source = prepared.spec, prepared.source
    return Dataset(
        name=spec.name,
        kind=spec.kind,
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
    name: str, *, flips: bool | None = None, **options: Any
) -> tuple[Split, tuple[str, ...]]:
    """The test examples of what `load` gives for the same arguments, and the classes' names.

    Images that are not asked for need not be decoded.
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


def _copies(train: Examples, validation: Examples, test: Examples) -> dict[str, int]:
    """Count the examples of each later split that are also in an earlier one."""
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
    """Fit on the training examples that are used, and on nothing else."""
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

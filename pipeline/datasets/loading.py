"""From a data set's name to arrays: read, choose the training examples, preprocess."""

from __future__ import annotations

from pathlib import Path

from pipeline.datasets import cifar10, digits, nusax, reviews
from pipeline.datasets.catalogue import SPECS, Spec
from pipeline.datasets.dataset import Dataset, Split
from pipeline.datasets.errors import DatasetError
from pipeline.datasets.examples import Examples, Source
from pipeline.datasets.sampling import stratified_subset
from scratch_forward.errors import PreprocessingError
from scratch_forward.preprocessing import ImagePreprocessing, TextPreprocessing


def load(
    name: str,
    *,
    data_dir: str | Path,
    train_size: int | None = None,
    language: str = "indonesian",
    vocabulary_size: int | None = None,
    max_length: int | None = None,
    padding: str = "post",
) -> Dataset:
    """Load a data set, ready for training; the same arguments always give the same arrays.

    Args:
        name: one of the catalogue's.
        data_dir: where downloaded data sets lie, and are downloaded to.
        train_size: use only so many training examples: stratified, and a larger number contains a
            smaller one's; None uses all.
        language: NusaX's language.
        vocabulary_size: texts: most entries of the vocabulary, padding and unknown included.
        max_length: texts: ids in a row; None takes the longest training text's.
        padding: texts: ``"post"`` or ``"pre"``.

    Raises:
        DatasetError: with one sentence, when an argument is impossible or data cannot be had.
    """
    if name not in SPECS:
        raise DatasetError(f"dataset={name!r} is unknown: expected one of {', '.join(SPECS)}.")
    spec = SPECS[name]
    source = _read(spec, Path(data_dir), language)
    train = source.train
    if train_size is not None:
        train = train.take(stratified_subset(train.labels, train_size, name))
    preprocessing = _preprocessing(
        spec, source, train, vocabulary_size=vocabulary_size, max_length=max_length, padding=padding
    )
    return Dataset(
        name=spec.name,
        kind=spec.kind,
        classes=spec.classes,
        train=_split(train, preprocessing),
        validation=_split(source.validation, preprocessing),
        test=_split(source.test, preprocessing),
        preprocessing=preprocessing,
        synthetic=spec.synthetic,
        source=source.origin,
        checksums=source.checksums,
    )


def _read(spec: Spec, data_dir: Path, language: str) -> Source:
    match spec.name:
        case "digits":
            return digits.read()
        case "reviews":
            return reviews.read()
        case "cifar10":
            return cifar10.read(data_dir)
        case _:
            return nusax.read(data_dir, language)


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
    if spec.input_shape is not None:
        return ImagePreprocessing(spec.input_shape, source.scale, spec.classes)
    try:
        return TextPreprocessing.fit(
            train.texts,
            spec.classes,
            vocabulary_size=vocabulary_size,
            max_length=max_length,
            padding=padding,
        )
    except PreprocessingError as error:
        raise DatasetError(str(error)) from error


def _split(examples: Examples, preprocessing: TextPreprocessing | ImagePreprocessing) -> Split:
    if isinstance(preprocessing, TextPreprocessing):
        return Split(preprocessing.encode(examples.texts), examples.labels, examples.texts)
    return Split(preprocessing.encode(examples.images), examples.labels)

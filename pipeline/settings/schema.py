"""The typed settings of one run: every key with its type and range.

Defaults are defined in `conf/`, so that each is written and documented once.
"""

from collections.abc import Hashable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pipeline.data.catalogue import NUSAX_LANGUAGES
from pipeline.data.label_task import AUTO, TASKS
from pipeline.settings.scores import SELECT_BY

Count = Annotated[int, Field(ge=1)]
Penalty = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1)]
HeldOut = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Momentum = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(min_length=1)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]


def _off_is_none(value: object) -> object:
    """Convert a bare `off`: YAML reads it as false, the command line as a word."""
    return None if value is False or value == "off" else value


def _false_is_off(value: object) -> object:
    return "off" if value is False else value


def _as_words(value: Any) -> Any:
    """Convert names such as 1 or true, which are parsed as numbers and booleans, to words."""
    if not isinstance(value, list):
        return value
    return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in value)


def _by_word(value: object) -> object:
    """Convert the keys of a mapping to words, as YAML and Hydra read 1 and true."""
    if not isinstance(value, dict):
        return value
    return dict(zip(_as_words([*value]), value.values(), strict=True))


Patience = Annotated[Count | None, BeforeValidator(_off_is_none)]
# Not strict: YAML has lists, no tuples.
Widths = Annotated[tuple[Count, ...], Field(min_length=1, strict=False)]
Words = Annotated[tuple[Name, ...], Field(strict=False)]
Names = Annotated[tuple[Name, ...], Field(min_length=2), BeforeValidator(_as_words)]
Columns = Annotated[tuple[Name, ...], Field(min_length=1), BeforeValidator(_as_words)]


MemorySize = Annotated[
    str, Field(pattern="^[0-9]*[1-9][0-9]*[MG]B$", json_schema_extra={"format": "memory"})
]
ClassWeights = Annotated[dict[str, Positive], Field(min_length=1), BeforeValidator(_by_word)]


class Group(BaseModel):
    """A group of settings; immutable and strictly typed."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Model(Group):
    """The settings of a model: the keyword arguments of its function."""


class Texts(Group):
    """How texts are passed to a model."""

    padding: Literal["post", "pre"] = "post"
    # Stored runs from before this option existed had no buckets.
    bucket: Annotated[Literal["auto", "off"], BeforeValidator(_false_is_off)] = "off"


class Optimizer(Group):
    """The settings of an optimizer: the arguments of its class in Keras, and its name."""

    name: str


class StoredOptimizer(Optimizer):
    """The optimizer of a stored run, whose version of Keras may have had other arguments."""

    model_config = ConfigDict(extra="allow")


class RateSchedule(Group):
    """How the learning rate changes from epoch to epoch."""

    name: str
    warmup_epochs: Annotated[int, Field(ge=0)]


class ConstantSchedule(RateSchedule):
    """The same learning rate in every epoch."""


class CosineSchedule(RateSchedule):
    """Half a cosine (Loshchilov & Hutter, 2017)."""

    final: Momentum


class ExponentialSchedule(RateSchedule):
    """The same factor after each epoch."""

    decay: Annotated[float, Field(gt=0, le=1)]


class PlateauSchedule(RateSchedule):
    """A reduction whenever the validation loss stops improving."""

    factor: HeldOut
    patience: Count
    min_delta: Penalty
    minimum: Penalty


class Data(Group):
    """The settings of a data set."""

    name: str


class TextData(Data):
    """The settings of a text data set."""

    vocabulary_size: Annotated[int, Field(ge=3)]
    max_length: Count | None


class NusaxData(TextData):
    """NusaX-Sentiment in one of its languages."""

    language: Literal[NUSAX_LANGUAGES]  # type: ignore[valid-type]


class OwnData(Data):
    """The settings of the user's own data: their location and how they are split."""

    path: Annotated[str, Field(min_length=1, json_schema_extra={"format": "path"})]
    classes: Names | None
    validation_share: HeldOut
    test_share: HeldOut
    split_seed: Seed


class CsvData(OwnData, TextData):
    """The user's own texts, or tables of numbers, in CSV files."""

    text_column: Name
    label_column: Name
    split_column: Name | None
    # Stored runs from before tables could be read are of texts.
    features: Literal["all"] | Columns | None = None
    standardize: bool = True


class ImageFolderData(OwnData):
    """The user's own images in folders."""

    height: Count
    width: Count
    colour: bool
    flips: bool

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Height, width and channels after resizing."""
        return self.height, self.width, 3 if self.colour else 1


class ArrayData(Data):
    """The settings of arrays or texts whose kind is known once they are read."""

    validation_share: HeldOut
    split_seed: Seed
    standardize: bool
    vocabulary_size: Annotated[int, Field(ge=3)]
    max_length: Count | None


class NpzData(ArrayData):
    """The user's own arrays in a NumPy file."""

    path: Annotated[str, Field(min_length=1, json_schema_extra={"format": "path"})]
    classes: Names | None


class FunctionData(ArrayData):
    """What a function of the user returns; its keyword arguments are further settings."""


def is_weights_file(name: object) -> bool:
    """Return whether a value of `initial_weights` names a file, not a run."""
    return isinstance(name, str) and name.endswith((".keras", ".h5"))


class Training(Group):
    """How the model is fitted, to which task, and how much data it is fitted on."""

    # Stored runs from before this option existed were all classified into several classes.
    task: Literal[AUTO, *TASKS] = AUTO  # type: ignore[valid-type]
    epochs: Count
    batch_size: Count
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    early_stopping: Patience
    clipnorm: Positive | None = None
    initial_weights: Name | None = None
    loss: Name | None = None
    metrics: Words = ()
    callbacks: Words = ()
    class_weight: Literal["balanced"] | ClassWeights | None = None
    augment: bool
    parity: Annotated[Literal["required", "optional", "off"], BeforeValidator(_false_is_off)] = (
        "required"
    )
    seed: Seed
    train_size: Count | None

    @property
    def functions(self) -> list[tuple[str, str]]:
        """Setting and name of each function that the fit is given, Keras's or the user's."""
        given = {"loss": [self.loss] if self.loss else []}
        given |= {"metrics": [*self.metrics], "callbacks": [*self.callbacks]}
        return [(key, name) for key, names in given.items() for name in names]


class LocalTracking(Group):
    """A local store: SQLite and a folder of artifacts under `mlruns/`."""

    kind: Literal["local"]


class ServerTracking(Group):
    """An MLflow server."""

    kind: Literal["server"]
    uri: Annotated[str, Field(pattern="^https?://[^@]*$")]


class Place(Group):
    """Where data are read from and runs are grouped; does not change results."""

    data_dir: Name
    experiment: Name


class Running(Group):
    """How a sweep is run; does not change results and applies to all of its jobs."""

    workers: Count | Literal["auto"]
    rerun: bool
    retry: Literal["all", "failed"]
    fail_fast: bool
    dry_run: bool
    select_by: Literal[SELECT_BY]  # type: ignore[valid-type]


class Resources(Group):
    """What a job needs of the machine that it is placed on; does not change results."""

    cpus: Count | Literal["auto"]
    gpus: Annotated[int, Field(ge=0)] | Literal["auto"]
    memory: MemorySize | Literal["auto"]


class Sweep(Group):
    """Which job of which sweep a run belongs to; set by the sweeper."""

    id: str | None
    identity: str | None
    varied: list[str]
    job: Count
    jobs: Count
    started: float | None
    threads: Count | None
    document: str | None = None


class Listing(Group):
    """Which runs `pipeline.runs` lists, and in which order."""

    experiment: Name | None
    sweep: Name | None
    where: str | None
    select_by: Literal[SELECT_BY]  # type: ignore[valid-type]
    sort: Name | None
    limit: Count | None


class RunChoice(Group):
    """The run that a command refers to."""

    run_id: Name | None
    sweep: Name | None
    experiment: Name | None
    select_by: Literal[SELECT_BY]  # type: ignore[valid-type]


class Search(Group):
    """The settings of an Optuna search; not part of any run's settings."""

    n_trials: Count
    metric: Annotated[str, Field(min_length=1)]
    direction: Literal["auto", "maximize", "minimize"]
    sampler: Literal["tpe", "random"]
    seed: Seed
    pruner: Literal["median", "none"]
    pruner_startup: Annotated[int, Field(ge=0)]
    pruner_warmup: Annotated[int, Field(ge=0)]
    storage: Annotated[str, Field(min_length=1)] | None


class Settings(Group):
    """All settings of one run."""

    model_name: str
    model: Model
    texts: Texts
    dataset: Data
    optimizer: Optimizer
    schedule: RateSchedule
    training: Training
    place: Place
    running: Running
    resources: Resources
    tracking: LocalTracking | ServerTracking
    sweep: Sweep

    @property
    def data(self) -> dict[str, Any]:
        """The arguments of `pipeline.data.load`."""
        of_function = isinstance(self.dataset, FunctionData)  # None may differ from a default
        options: dict[str, Any] = self.dataset.model_dump(exclude_none=not of_function)
        if isinstance(self.dataset, TextData | ArrayData):
            options["padding"] = self.texts.padding
        place = {"data_dir": self.place.data_dir, "train_size": self.training.train_size}
        task = {} if self.training.task == AUTO else {"task": self.training.task}
        return options | place | task

    @property
    def data_key(self) -> Hashable:
        """A key that is equal where two runs use the same data."""
        return repr(sorted(self.data.items()))


DATASETS: dict[str, type[Data]] = {
    "digits": Data,
    "cifar10": Data,
    "reviews": TextData,
    "nusax": NusaxData,
    "csv": CsvData,
    "image_folder": ImageFolderData,
    "npz": NpzData,
}
_MAY_BE_OFF = {BeforeValidator(_off_is_none), BeforeValidator(_false_is_off)}
_WITH_SWITCHES: tuple[type[Group], ...] = (Training, Texts)
SWITCHES = frozenset(
    name
    for kind in _WITH_SWITCHES
    for name, field in kind.model_fields.items()
    if _MAY_BE_OFF & {mark for mark in field.metadata if isinstance(mark, BeforeValidator)}
)
"""Settings that accept `off`."""
SCHEDULES: dict[str, type[RateSchedule]] = {
    "constant": ConstantSchedule,
    "cosine": CosineSchedule,
    "exponential": ExponentialSchedule,
    "plateau": PlateauSchedule,
}
TRACKING: dict[str, type[LocalTracking | ServerTracking]] = {
    "local": LocalTracking,
    "server": ServerTracking,
}

"""The typed settings of one run: every key, its type and its range.

Defaults live in `conf/`, so that each is written and explained once.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Count = Annotated[int, Field(ge=1)]
Penalty = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1)]
Momentum = Annotated[float, Field(ge=0, le=1)]


def _off_is_none(value: object) -> object:
    """YAML reads a bare `off` as false, the command line reads it as the word."""
    return None if value is False or value == "off" else value


def _false_is_off(value: object) -> object:
    return "off" if value is False else value


Patience = Annotated[Count | None, BeforeValidator(_off_is_none)]
Widths = Annotated[
    tuple[Count, ...],
    Field(min_length=1),
    BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
]


class Group(BaseModel):
    """Settings that belong together; immutable, and strict about types."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Recurrent(Group):
    """Embedding, [bidirectional] recurrent layers, dropout, softmax."""

    units: Count
    layers: Count
    bidirectional: bool
    embedding_dim: Count
    mask: bool
    padding: Literal["post", "pre"]
    # Runs from before there was the option are read back, and had no buckets.
    bucket: Annotated[Literal["auto", "off"], BeforeValidator(_false_is_off)] = "off"
    dropout: Share
    recurrent_dropout: Share


class Convolutional(Group):
    """Convolutions with pooling, one dense layer, dropout, softmax."""

    filters: Widths
    kernel_size: Count
    pooling: Literal["max", "average"]
    conv_padding: Literal["same", "valid"]
    batch_norm: bool
    dense_units: Count
    dropout: Share


class Adam(Group):
    """Adam (Kingma & Ba, 2014)."""

    name: Literal["adam"]
    beta_1: Share
    beta_2: Share


class Sgd(Group):
    """Stochastic gradient descent with momentum."""

    name: Literal["sgd"]
    momentum: Momentum
    nesterov: bool


class Rmsprop(Group):
    """RMSprop (Hinton, 2012)."""

    name: Literal["rmsprop"]
    rho: Share
    momentum: Momentum


class ImageData(Group):
    """A set of images."""

    name: str


class TextData(Group):
    """A set of sentences."""

    name: str
    language: str | None = None
    vocabulary_size: Annotated[int, Field(ge=3)]
    max_length: Count | None


class Training(Group):
    """How the model is fitted, and on how much."""

    epochs: Count
    batch_size: Count
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    l1: Penalty
    l2: Penalty
    early_stopping: Patience
    augment: bool
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)]
    train_size: Count | None


class LocalTracking(Group):
    """SQLite and a folder of artifacts under `mlruns/`."""

    kind: Literal["local"]


class ServerTracking(Group):
    """An MLflow server."""

    kind: Literal["server"]
    uri: Annotated[str, Field(pattern="^https?://")]


class Place(Group):
    """Where data is read from and runs are grouped; changes no result."""

    data_dir: Annotated[str, Field(min_length=1)]
    experiment: Annotated[str, Field(min_length=1)]


class Running(Group):
    """How a sweep is run; changes no result and is one for all its jobs."""

    workers: Count
    rerun: bool
    retry: Literal["all", "failed"]
    fail_fast: bool
    dry_run: bool


class Sweep(Group):
    """Which job of which sweep a run is; filled in by the sweeper."""

    id: str | None
    identity: str | None
    varied: list[str]
    job: Count
    jobs: Count
    started: float | None


class Settings(Group):
    """Everything that one run is made from."""

    model_name: Literal["cnn", "rnn", "lstm", "gru"]
    model: Recurrent | Convolutional
    dataset: TextData | ImageData
    optimizer: Adam | Sgd | Rmsprop
    training: Training
    place: Place
    running: Running
    tracking: LocalTracking | ServerTracking
    sweep: Sweep

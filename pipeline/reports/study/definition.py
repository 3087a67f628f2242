"""A study as its file in `conf/study/` describes it: the question, and what was claimed before."""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, Field

from pipeline.reports.study.measures import MEASURES
from pipeline.settings import SettingsError
from pipeline.settings.schema import Group
from pipeline.settings.suggest import choices, not_offered


def _known(measure: str) -> str:
    if measure not in MEASURES:
        raise ValueError(f"it must be {choices(MEASURES)}")
    return measure


class Artefact(Group):
    """Another cause that an effect may have: it goes away where that cause is absent."""

    under: dict[str, Any]
    of: str


class Claim(Group):
    """What an earlier report said, and how to judge it.

    Attributes:
        said: its words, in short.
        dataset: that it was made on.
        measure: the name in `MEASURES` that it speaks of.
        expects: pairs of values of the varied key, the one with the higher measure first.
        under: values of other varied keys, the conditions that the claim was made under.
        artefact: where to look for another cause.
    """

    said: str
    dataset: str
    measure: Annotated[str, AfterValidator(_known)]
    expects: list[Annotated[tuple[Any, Any], Field(strict=False)]] = Field(min_length=1)
    under: dict[str, Any] = Field(default_factory=dict)
    artefact: Artefact | None = None


class Study(Group):
    """A sweep with a question.

    Attributes:
        name: the file's name.
        question: in plain words.
        claim: of an earlier report, if there is one.
        against: `tfidf` when the question is whether values beat that baseline.
    """

    name: str
    question: str
    claim: Claim | None = None
    against: Literal["tfidf"] | None = None


def study_names(conf: Path) -> list[str]:
    """All studies that there are a file of."""
    return sorted(path.stem for path in (conf / "study").glob("*.yaml"))


def load_study(conf: Path, name: str) -> Study:
    """Read a study's file.

    Args:
        conf: folder of the configuration files.
        name: the file's name.

    Raises:
        SettingsError: when there is no such study; the sentence lists the known ones.
    """
    if name not in study_names(conf):
        raise SettingsError([not_offered("study", name, study_names(conf))])
    text = (conf / "study" / f"{name}.yaml").read_text(encoding="utf-8")
    return Study.model_validate(yaml.safe_load(text)["study"])

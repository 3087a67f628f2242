"""A study as defined in its file: a question, names of its values, an earlier claim."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, Field, ValidationError

from pipeline.errors import choices
from pipeline.reports.study.study_run import STUDY_MEASURES
from pipeline.settings import SettingsError
from pipeline.settings.as_typed import label
from pipeline.settings.schema import Group


def _known(measure: str) -> str:
    if measure not in STUDY_MEASURES:
        raise ValueError(f"it must be {choices(STUDY_MEASURES)}")
    return measure


class Artefact(Group):
    """Another possible cause of an effect: without that cause, the effect disappears."""

    under: dict[str, Any]
    of: str


class Claim(Group):
    """The claim of an earlier report, and how to judge it."""

    said: str  # the claim in short
    dataset: str  # the data set of the claim
    measure: Annotated[str, AfterValidator(_known)]  # a name in `STUDY_MEASURES`
    # pairs of values of the varied key, the one with the higher measure first
    expects: list[Annotated[tuple[Any, Any], Field(strict=False)]] = Field(min_length=1)
    # values of other varied keys, under which the claim was made
    under: dict[str, Any] = Field(default_factory=dict)
    artefact: Artefact | None = None  # another possible cause of the effect


class Study(Group):
    """A sweep with a question.

    Attributes:
        name: the file's name.
        question: the question in plain words.
        words: how a report names the values of a varied key: a pattern such as `{} units`, or a
            phrase for each value.
        measure: a name in `STUDY_MEASURES`: what is reported and compared; None for the primary
            score of the task on the test data.
        claim: the claim of an earlier report, if there is one.
        against: `tfidf` if the question is whether values beat that baseline.
    """

    name: str
    question: str
    words: dict[str, str | dict[Any, str]] = Field(default_factory=dict)
    measure: Annotated[str, AfterValidator(_known)] | None = None
    claim: Claim | None = None
    against: Literal["tfidf"] | None = None

    def words_for(self, key: str, value: str) -> str | None:
        """Return the name of a value; None if the study does not define one."""
        words = self.words.get(key)
        if isinstance(words, str):
            return words.replace("{}", value)
        return {label(name): phrase for name, phrase in (words or {}).items()}.get(value)


def parse_study(node: Mapping[str, Any] | None, name: str) -> Study:
    """Check the `study` node of a composed configuration.

    Args:
        node: its values; None if the study's file contains only settings.

    Raises:
        SettingsError: with one sentence per fault.
    """
    values = {"question": f"What do the runs of study={name} show?", **(node or {}), "name": name}
    try:
        return Study.model_validate(values)
    except ValidationError as error:
        raise SettingsError([_fault(detail) for detail in error.errors()]) from error


def _fault(detail: Any) -> str:
    key = ".".join(["study", *(str(part) for part in detail["loc"])])
    reason = detail["msg"].removeprefix("Value error, ")
    return f"{key}={label(detail['input'])} cannot be used: {reason[0].lower()}{reason[1:]}."


def study_names(conf: Path) -> list[str]:
    """Return the names of the studies in a folder of configuration files."""
    return sorted(path.stem for path in (conf / "study").glob("*.yaml"))


def load_study(conf: Path, name: str) -> Study:
    """Load a study from a folder of configuration files; without a file, an empty one.

    Sweeps store their study, so this is needed only for sweeps of earlier versions.
    """
    file = conf / "study" / f"{name}.yaml"
    text = file.read_text(encoding="utf-8") if name in study_names(conf) else ""
    return parse_study((yaml.safe_load(text) or {}).get("study"), name)

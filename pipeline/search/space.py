"""The search space: Hydra's sweep syntax as Optuna's distributions."""

import itertools
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from pipeline.errors import choices
from pipeline.settings import SettingsError

_TAGS = {"log"}
_MOST_VALUES = 10_000  # in a range


@dataclass(frozen=True)
class Dimension:
    """One searched key."""

    key: str  # the key, as on the command line
    distribution: BaseDistribution  # Optuna's distribution; categorical choices are texts
    probes: tuple[str, ...]  # texts of all values that can be listed, or of both ends

    def text(self, value: Any) -> str:
        """Format a value for the command line; real numbers with four significant digits."""
        if not isinstance(self.distribution, FloatDistribution):
            return str(value)
        low, high = self.distribution.low, self.distribution.high
        return str(min(max(float(f"{value:.4g}"), low), high))

    def describe(self) -> str:
        """Describe the possible values in words."""
        distribution = self.distribution
        if isinstance(distribution, CategoricalDistribution):
            texts = [str(choice) for choice in distribution.choices]
            return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} or {texts[-1]}"
        assert isinstance(distribution, IntDistribution | FloatDistribution)
        step = f" in steps of {distribution.step:g}" if distribution.step not in (None, 1) else ""
        low, high = self.text(distribution.low), self.text(distribution.high)
        return f"{low} to {high}{step}{', logarithmic' if distribution.log else ''}"


def dimension(override: Override) -> Dimension:
    """Parse the values of an override such as `units=choice(8,16)`.

    Args:
        override: `a,b` or `choice(...)`, `range(...)`, `interval(...)`; the last two accept the tag
            `log`.

    Raises:
        SettingsError: when there are no values, or the bounds are invalid.
    """
    value = override.value()
    tags: set[str] = getattr(value, "tags", set())
    if tags - _TAGS:
        unknown = choices(tags - _TAGS)
        raise SettingsError([f"{override.input_line} is tagged {unknown}; known is log."])
    if isinstance(value, IntervalSweep):
        return _interval(override, value)
    if isinstance(value, RangeSweep):
        return _range(override, value)
    if "log" in tags:
        raise SettingsError([f"{override.input_line} is tagged log, but lists single values."])
    return _listed(override)


def _interval(override: Override, interval: IntervalSweep) -> Dimension:
    low, high, log = interval.start, interval.end, "log" in interval.tags
    assert low is not None
    assert high is not None
    _check_ends(override, low, high, log)
    whole = isinstance(low, int) and isinstance(high, int)
    distribution = (
        IntDistribution(int(low), int(high), log=log)
        if whole
        else FloatDistribution(float(low), float(high), log=log)
    )
    return Dimension(override.key_or_group, distribution, (str(low), str(high)))


def _range(override: Override, given: RangeSweep) -> Dimension:
    values = list(itertools.islice(_values(override, given), _MOST_VALUES + 1))
    if not values:
        raise SettingsError([f"{override.input_line} holds no value."])
    if len(values) > _MOST_VALUES:
        raise SettingsError([f"{override.input_line} holds more than {_MOST_VALUES} values."])
    low, high, log = min(values), max(values), "log" in given.tags
    _check_ends(override, low, high, log, single=True)
    step = abs(given.step)
    if log and step != 1:
        raise SettingsError([f"{override.input_line} is tagged log, and then cannot have steps."])
    whole = all(isinstance(value, int) for value in values)
    distribution = (
        IntDistribution(int(low), int(high), log=log, step=int(step))
        if whole
        else FloatDistribution(low, high, step=None if log else float(step))
    )
    found = Dimension(override.key_or_group, distribution, ())
    return Dimension(found.key, distribution, tuple(map(found.text, (low, high))))


def _values(override: Override, given: RangeSweep) -> Any:
    if given.step == 0:
        raise SettingsError([f"{override.input_line} never ends: its step is 0."])
    return iter(given.range())


def _check_ends(
    override: Override, low: float, high: float, log: bool, single: bool = False
) -> None:
    if not (low < high or (single and low == high)):  # also refuses NaN
        raise SettingsError(
            [f"{override.input_line} is empty: its second end must be above its first."]
        )
    if log and low <= 0:
        raise SettingsError([f"{override.input_line} is tagged log, so it must begin above 0."])


def _listed(override: Override) -> Dimension:
    texts = tuple(dict.fromkeys(map(_typed, override.sweep_string_iterator())))
    if not texts:
        raise SettingsError([f"{override.input_line} holds no value."])
    return Dimension(override.key_or_group, CategoricalDistribution(texts), texts)


def _typed(text: str) -> str:
    """Spell booleans in lower case, as users do; Hydra prints them as Python does."""
    return text.lower() if text in ("True", "False") else text

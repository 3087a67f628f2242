"""A filter of runs in MLflow's search language, extended to numeric parameters.

MLflow compares parameters as text: it refuses `params.units > 32`, sorts 100 before 20, and does
not match a value that an earlier version logged as `True`. So parameters are compared here,
and MLflow evaluates the rest of the condition.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.settings import SettingsError
from pipeline.settings.as_typed import as_number, label, logged_parameters

_TOKEN = re.compile(r"""'[^']*'|"[^"]*"|`[^`]*`|\s+|[^\s'"`]+|.""")
_PARAMETER = re.compile(
    r"""\s*param(?:eter)?s?\.(?P<key>`[^`]+`|"[^"]+"|[\w./-]+?)\s*(?P<sign>[<>!]=|[=<>])\s*"""
    r"""(?P<value>\S.*?)\s*""",
    re.IGNORECASE | re.DOTALL,
)
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_EQUALITIES = ("=", "!=")


@dataclass(frozen=True)
class ParameterComparison:
    """A comparison of one parameter, `units > 32`."""

    key: str
    sign: str
    value: str

    def holds(self, params: Mapping[str, str]) -> bool:
        """Return whether a run's parameters, as typed, satisfy it; False if there is none."""
        if self.key not in params:
            return False
        ours, theirs = as_number(params[self.key]), as_number(self.value)
        if ours is not None and theirs is not None:
            return _SIGNS[self.sign](ours, theirs)
        if self.sign in _EQUALITIES:
            return _SIGNS[self.sign](params[self.key], self.value)
        return False


@dataclass(frozen=True)
class Condition:
    """The part of a condition for MLflow, and the comparisons to make here."""

    query: str
    comparisons: tuple[ParameterComparison, ...]

    def holds(self, params: Mapping[str, str]) -> bool:
        """Return whether a run's logged parameters satisfy all comparisons."""
        typed = logged_parameters(params)
        return all(comparison.holds(typed) for comparison in self.comparisons)


def read_condition(where: str | None) -> Condition:
    """Parse a condition.

    Raises:
        SettingsError: when a parameter is ordered relative to something that is not a number.
    """
    rest: list[str] = []
    comparisons: list[ParameterComparison] = []
    for clause in _clauses(where or ""):
        found = _PARAMETER.fullmatch(clause)
        if found is None:
            rest.append(clause.strip())
        else:
            key, value = _unquoted(found["key"]), label(_unquoted(found["value"]))
            comparisons.append(ParameterComparison(key, found["sign"], value))
    for one in comparisons:
        if one.sign not in _EQUALITIES and as_number(one.value) is None:
            raise SettingsError(
                [
                    f"where: params.{one.key} {one.sign} {one.value} compares sizes, but "
                    f"{one.value} is not a number; words are compared with =, != or LIKE."
                ]
            )
    return Condition(" AND ".join(filter(None, rest)), tuple(comparisons))


def _clauses(where: str) -> list[str]:
    """Split a condition at each AND outside of quotes."""
    clauses = [""]
    for token in _TOKEN.findall(where):
        if token.upper() == "AND":
            clauses.append("")
        else:
            clauses[-1] += token
    return clauses


def _unquoted(text: str) -> str:
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\"`"
    return text[1:-1] if quoted else text

"""Reads YAML that a run stored, and that anybody may have changed, in bounded time and memory.

An alias makes 1 kB of YAML stand for gigabytes, a number such as `1:1:1:...` takes quadratic time,
and deep nesting overflows the stack. None of these occurs in a file that a run stores.
"""

from typing import Any

import yaml

from pipeline.errors import first_line

_LARGEST = 2**18  # characters; a configuration has some 3,000
_LONGEST = 2**13  # characters of one value
_DEEPEST = 50
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class StoredYamlError(ValueError):
    """A stored file is not YAML, or not as a run stores it; the message says why."""


def read_stored_yaml(text: str) -> Any:
    """Parse a YAML document.

    Raises:
        StoredYamlError: when it is damaged or exceeds the limits.
    """
    if len(text) > _LARGEST:
        raise StoredYamlError(f"it has more than {_LARGEST:,} characters")
    try:
        _check_events(text)
        return yaml.load(text, Loader=_Loader)
    except StoredYamlError:
        raise
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise StoredYamlError(getattr(error, "problem", None) or first_line(error)) from error


def _check_events(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise StoredYamlError(f"it contains the alias *{event.anchor}")
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > _LONGEST:
            raise StoredYamlError(f"a value has more than {_LONGEST:,} characters")
        if depth > _DEEPEST:
            raise StoredYamlError("it nests too deeply")

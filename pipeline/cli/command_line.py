"""The command line of all commands but `train`: settings, flags, words, program name."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import did_you_mean, not_offered
from pipeline.functions.lookup import is_own
from pipeline.settings import refuse
from pipeline.settings.composer import Composer, composer

SCRIPT = "parity-pipeline"  # the console script: `parity-pipeline train` equals `-m pipeline.train`
HELP = ("--help", "-h")
_FOLDER = ("--config-dir", "-cd")
_FLAG = re.compile(r"--?[A-Za-z][\w-]*(=.*)?")


@dataclass(frozen=True)
class CommandLine:
    """A parsed command line."""

    words: tuple[str, ...]  # all arguments except flags
    flags: frozenset[str]
    config_dir: str | None  # the user's own folder of configuration files


def read_line(arguments: Sequence[str], known: Sequence[str] = ()) -> CommandLine:
    """Parse a command line.

    Args:
        known: the flags of the command, in addition to `--config-dir`.

    Raises:
        SettingsError: when a flag is unknown.
    """
    words: list[str] = []
    flags: set[str] = set()
    config_dir: str | None = None
    faults: list[str] = []
    rest = iter(arguments)
    for word in rest:
        name, equals, value = word.partition("=")
        if name in _FOLDER:
            config_dir = value if equals else next(rest, None)
            faults += [] if config_dir else [f"{name} needs a folder."]
        elif word in known:
            flags.add(word)
        elif _FLAG.fullmatch(word):
            offered = [*known, _FOLDER[0], HELP[0]]
            faults.append(
                f"`{word}` is not an option of this command{did_you_mean(word, offered)}."
            )
        else:
            words.append(word)
    refuse(faults)
    return CommandLine(tuple(words), frozenset(flags), config_dir)


def compose_values(
    config_name: str, lines: Sequence[str], config_dir: str | None = None
) -> dict[str, Any]:
    """Compose the configuration of a command that is not a sweep, as plain values.

    Args:
        config_name: the command's file in `conf/`.

    Raises:
        SettingsError: when an override cannot be parsed or names an unknown setting.
    """
    source = composer(config_name, config_dir)
    overrides = source.parse(lines)
    known = source.files([]).resolved()
    refuse(fault for one in overrides for fault in _faults(one, known, source))
    return source.compose(overrides).resolved()


def _faults(override: Any, known: Mapping[str, Any], source: Composer) -> list[str]:
    key, line = override.key_or_group, override.input_line
    if key.split(".")[0] not in known:
        return [f"`{key}` is not an option of this command{did_you_mean(key, known)}."]
    if override.is_sweep_override():
        return [f"{line} names several values; this command takes one."]
    if override.is_delete():
        return [f"{line} would remove a setting; every one is needed."]
    if source.is_choice(override):
        value, offered = str(override.value()), source.get_group_options(key)
        return [] if value in offered or is_own(value) else [not_offered(key, value, offered)]
    return []


_words: ContextVar[Sequence[str] | None] = ContextVar("words", default=None)


def typed_words() -> list[str]:
    """Return the arguments of this program, or those of a block of `called_with`."""
    words = _words.get()
    return sys.argv[1:] if words is None else list(words)


@contextmanager
def called_with(words: Sequence[str]) -> Iterator[None]:
    """Make a call from Python known as the command with these arguments, which does the same."""
    token = _words.set(words)
    try:
        yield
    finally:
        _words.reset(token)


def typed_program(command: str) -> list[str]:
    """Return the words that start another command the way this one was: script or module."""
    if Path(sys.argv[0]).stem == SCRIPT:
        return [SCRIPT, command]
    return ["python", "-m", f"pipeline.{command}"]

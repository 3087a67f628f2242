"""What all commands share: reading the command line, and refusing a command."""

import gc
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, NoReturn

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from pipeline.cli.command_line import HELP, compose_values, read_line, typed_program
from pipeline.cli.console import print_faults
from pipeline.cli.credentials import take_credentials
from pipeline.cli.help_page import command_help
from pipeline.errors import (
    ClusterLostError,
    CommandFailedError,
    DatasetError,
    StoreAwayError,
    StoreError,
)
from pipeline.settings import SettingsError
from pipeline.settings.composer import CONF, one_line

REFUSED = 2  # exit code of a command that was refused before it started
FAILED = 1  # exit code of a command that started and failed
INTERRUPTED = 130  # exit code that shells use for a process that Ctrl-C ended
RUN_CHOICE = ("run_id", "sweep", "experiment")  # settings that select runs
_YOUNG_OBJECTS = 50_000  # per collection; planning a sweep creates many, few are garbage


@dataclass(frozen=True)
class Given:
    """The parsed arguments of a command other than `train`."""

    values: dict[str, Any]
    flags: frozenset[str]  # the flags that the command defines and that were given
    words: tuple[str, ...]  # the remaining arguments, for a command that accepts such


def command(
    name: str,
    *,
    flags: Sequence[str] = (),
    verbatim: Sequence[str] = (),
    only: Sequence[str] | None = None,
) -> Callable[[Callable[[Given], object]], Callable[[], None]]:
    """Turn a function of `Given` into a command that answers `--help` or does its work.

    Args:
        name: of the command, its file in `conf/` and its help page.
        flags: the flags that the command accepts, such as `--csv`.
        verbatim: settings whose values must bypass Hydra's grammar, which would split some texts
            and read others as numbers (an id such as 351e97).
        only: prefixes of settings, for a command that takes all other words as its input.
    """

    def decorate(function: Callable[[Given], object]) -> Callable[[], None]:
        @wraps(function)
        def main() -> None:
            if wants_help():
                print_help(command_help(CONF, name))
            else:
                run_command(lambda: function(_given(name, flags, verbatim, only)))

        return main

    return decorate


def _given(
    name: str, flags: Sequence[str], verbatim: Sequence[str], only: Sequence[str] | None
) -> Given:
    line = read_line(sys.argv[1:], flags)
    words = [word for word in line.words if only is not None and not word.startswith(tuple(only))]
    settings = [word for word in line.words if word not in words]
    apart = [word for word in settings if word.lstrip("+").partition("=")[0] in verbatim]
    values = compose_values(name, [w for w in settings if w not in apart], line.config_dir)
    texts = dict(word.lstrip("+").split("=", 1) for word in apart)
    values |= {key: None if text == "null" else text for key, text in texts.items()}
    return Given(values, line.flags, tuple(words))


def wants_help() -> bool:
    """Return whether `--help` is on the command line."""
    return any(word in sys.argv[1:] for word in HELP)


def print_help(page: str) -> None:
    """Print a help page whose commands are spelled the way this one was typed."""
    print(page.replace("python -m pipeline.", " ".join(typed_program(""))))


def run_command(command: Callable[[], object]) -> None:
    """Run a command; every foreseeable fault ends in one sentence and exit code 2."""
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra raises errors, prints none
    gc.freeze()  # keeps collections from scanning everything imported so far
    gc.set_threshold(_YOUNG_OBJECTS)
    try:
        sys.argv[1:] = take_credentials(sys.argv[1:])
        command()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of the pipe, such as `head`, has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (StoreAwayError, ClusterLostError) as error:  # in the middle of the command's work
        print_faults([str(error)])
        sys.exit(FAILED)
    except (SettingsError, DatasetError, StoreError) as error:
        refuse(str(error).splitlines())
    except (HydraException, OmegaConfBaseException) as error:
        refuse([one_line(error)])
    except CommandFailedError as error:
        sys.exit(error.exit_code)
    except KeyboardInterrupt:  # everything has been printed already
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # pressed again: Python is ending, let it
        sys.exit(INTERRUPTED)
    finally:
        gc.freeze()  # otherwise the last collection scans everything imported: 0.5 s


def refuse(faults: list[str]) -> NoReturn:
    """Print one line per fault and end the command."""
    print_faults(faults)
    sys.exit(REFUSED)

"""What the commands share: reading the command line, and how a command is refused."""

import gc
import os
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
from pipeline.errors import CommandFailedError, DatasetError, StoreAwayError, StoreError
from pipeline.settings import SettingsError
from pipeline.settings.composer import one_line
from pipeline.settings.conf_folder import CONF

REFUSED = 2  # exit code of a command that did not start
FAILED = 1  # exit code of a command that started
INTERRUPTED = 130  # exit code, as a shell gives it to what Ctrl-C ended
RUN_CHOICE = ("run_id", "sweep", "experiment")  # settings that say which run is meant
_YOUNG_OBJECTS = 50_000  # before a collection; to plan a sweep makes many, few of them garbage


@dataclass(frozen=True)
class Given:
    """What a thin command was given.

    Attributes:
        values: its settings.
        flags: of those that it knows.
        words: what is no setting, for a command that takes such.
        config_dir: a user's own folder of configuration files.
    """

    values: dict[str, Any]
    flags: frozenset[str]
    words: tuple[str, ...]
    config_dir: str | None


def command(
    name: str,
    *,
    flags: Sequence[str] = (),
    verbatim: Sequence[str] = (),
    only: Sequence[str] | None = None,
) -> Callable[[Callable[[Given], object]], Callable[[], None]]:
    """Make a function of what was given a command, which answers `--help` or does its work.

    Args:
        name: of the command, its file in `conf/` and its help page.
        flags: those it knows, such as `--csv`.
        verbatim: settings whose values are text that Hydra's grammar would take apart, or for a
            number, as an id that begins with 351e97.
        only: what settings begin with, where other words are the command's input.
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
    return Given(values, line.flags, tuple(words), line.config_dir)


def wants_help() -> bool:
    """Whether `--help` is on the command line."""
    return any(word in sys.argv[1:] for word in HELP)


def print_help(page: str) -> None:
    """Print a help page, its commands as this one was typed."""
    print(page.replace("python -m pipeline.", " ".join(typed_program(""))))


def run_command(command: Callable[[], object]) -> None:
    """Run a command; every foreseeable fault ends in one sentence and exit code 2.

    Args:
        command: composes its configuration and does its work.
    """
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # gives errors to us instead of printing them
    gc.freeze()  # what was imported so far: no collection need look through it
    gc.set_threshold(_YOUNG_OBJECTS)
    try:
        take_credentials()
        command()
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read it, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except StoreAwayError as error:  # in the midst of the command's work
        print_faults([str(error)])
        sys.exit(FAILED)
    except (SettingsError, DatasetError, StoreError) as error:
        refuse(str(error).splitlines())
    except (HydraException, OmegaConfBaseException) as error:
        refuse([one_line(error)])
    except CommandFailedError as error:
        sys.exit(error.exit_code)
    except KeyboardInterrupt:  # what there is to be told has been told
        sys.exit(INTERRUPTED)
    finally:
        gc.freeze()  # else the last collection looks through all that was imported: half a second


def refuse(faults: list[str]) -> NoReturn:
    """Print one line a fault and end the command."""
    print_faults(faults)
    sys.exit(REFUSED)

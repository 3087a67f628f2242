"""What the commands share: reading the command line, and how a command is refused."""

import gc
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from pipeline.cli.console import print_faults
from pipeline.errors import CommandFailedError, DatasetError, StoreAwayError, StoreError
from pipeline.job.interruption import interrupt
from pipeline.settings import SettingsError
from pipeline.settings.composed import plain_values
from pipeline.settings.conf_folder import CONF
from pipeline.settings.suggest import did_you_mean, not_offered

REFUSED = 2  # exit code of a command that did not start
FAILED = 1  # exit code of a command that started
INTERRUPTED = 130  # exit code, as a shell gives it to what Ctrl-C ended
_YOUNG_OBJECTS = 50_000  # before a collection; to plan a sweep makes many, few of them garbage


def wants_help() -> bool:
    """Whether `--help` is on the command line."""
    return bool(get_args_parser().parse_known_args()[0].help)


def overrides() -> list[str]:
    """The `key=value` arguments on the command line, Hydra's own left out."""
    given = get_args_parser().parse_known_args()[0].overrides
    return [line for line in given if not line.lstrip("+~").startswith("hydra")]


def chosen(group: str) -> str | None:
    """The choice of one of Hydra's own groups on the command line, `hydra/sweeper=optuna`."""
    given = get_args_parser().parse_known_args()[0].overrides
    names = [line.partition("=")[2] for line in given if line.startswith(f"{group}=")]
    return names[-1] if names else None


def compose_values(config_name: str, given: Sequence[str] | None = None) -> dict[str, Any]:
    """The configuration of a command that is not a sweep, as plain values.

    Args:
        config_name: the command's file in `conf/`.
        given: the overrides; None takes those on the command line.

    Raises:
        SettingsError: when the command line names a setting or a choice that there is not.
    """
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        known = plain_values(hydra.compose(config_name))
        options = GlobalHydra.instance().config_loader().get_group_options
        lines = overrides() if given is None else list(given)
        faults = [fault for line in lines for fault in _faults(line, known, options)]
        if faults:
            raise SettingsError(faults)
        return plain_values(hydra.compose(config_name, lines))


def _faults(
    override: str, known: Mapping[str, Any], options: Callable[[str], list[str]]
) -> list[str]:
    key, _, value = override.lstrip("+~").partition("=")
    if key.split(".")[0] not in known:
        return [f"`{key}` is not an option of this command{did_you_mean(key, known)}."]
    if isinstance(known[key.split(".")[0]], Mapping) and "." not in key:
        offered = options(key)
        return [] if value in offered else [not_offered(key, value, offered)]
    return []


def first_sentence(error: Exception) -> list[str]:
    """Hydra's message on one line."""
    return [" ".join(str(error).split())]


def end_on_sigterm() -> None:
    """Let SIGTERM end a command as Ctrl-C does, with all that it has started."""
    signal.signal(signal.SIGTERM, interrupt)


def run_command(
    command: Callable[[], object], explain: Callable[[Exception], list[str]] = first_sentence
) -> None:
    """Run a command; every foreseeable fault ends in one sentence and exit code 2.

    Args:
        command: composes its configuration and does its work.
        explain: turns an error of Hydra's own into sentences.
    """
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # gives errors to us instead of printing them
    gc.freeze()  # what was imported so far: no collection need look through it
    gc.set_threshold(_YOUNG_OBJECTS)
    try:
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
        refuse(explain(error))
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

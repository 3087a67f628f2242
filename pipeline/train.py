"""python -m pipeline.train model=lstm units=32,64,128: train, track and verify a sweep."""

import sys

from hydra._internal.utils import get_args_parser

from pipeline.api.hydra_program import run_program
from pipeline.cli.command import print_help, run_command, wants_help
from pipeline.cli.help_page import train_help
from pipeline.job.interruption import ENDING, interrupted_by
from pipeline.settings.composer import CONF


def main() -> None:
    """Print the help page, or run a sweep."""
    if wants_help():
        words = get_args_parser().parse_known_intermixed_args()[0].overrides
        print_help(train_help(CONF, dict(line.split("=", 1) for line in words if "=" in line)))
        return
    with interrupted_by(*ENDING):  # runs are marked KILLED instead of left RUNNING
        run_command(lambda: run_program(sys.argv[1:]))


if __name__ == "__main__":
    main()

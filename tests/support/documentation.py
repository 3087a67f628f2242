"""The commands and programs in README and docs, taken from their fenced blocks."""

import re
import shlex
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
GENERATED = "docs/benchmark-*.md", "docs/coverage.md"  # by programs that have tests of their own
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

KINDS = {
    "install": r"(python3? -m venv|\. \.venv/bin/activate|pip install|apt-get install)\b",
    "suite": r"python -m pytest\b",
    "server": r"(python -m pipeline\.ui|mlflow (ui|server|models serve))\b",
    "train": r"python -m pipeline\.train\b",
    "other": (
        r"(python -m pipeline\.(parity|evaluate|report|runs|predict|fetch|move)|curl|export)\b"
    ),
    "forward": r"python -m scratch_forward\b",
    "cluster": r"(runuser -u postgres|ray start)\b",
}
"""What a line does, by how it begins.

`install` and `suite` are what tests are run by; a `cluster` is started by the tests that need one.
"""


def pages():
    """README and every page of docs that a person wrote, by path."""
    found = [REPOSITORY / "README.md", *REPOSITORY.glob("docs/*.md"), _STUDIES]
    written = {path for path in found if not any(path.match(one) for one in GENERATED)}
    return sorted(path.relative_to(REPOSITORY).as_posix() for path in written)


_STUDIES = REPOSITORY / "docs/studies/README.md"


def text_of(page):
    return (REPOSITORY / page).read_text(encoding="utf-8")


def blocks(page, *languages):
    """Language and content of a page's fenced blocks, all or those in some languages."""
    found = [(block[1], block[2]) for block in _BLOCK.finditer(text_of(page))]
    return [block for block in found if not languages or block[0] in languages]


def commands(block):
    """The commands of a block of shell: continued lines are joined, `a && b` is two commands."""
    lines = re.sub(r"\\\n\s*", " ", block).splitlines()
    given = [line for line in lines if line.strip() and not line.startswith("#")]
    return [command for line in given for command in line.split(" && ")]


def kind(command):
    """What a command does; None if there is no telling."""
    return next((name for name, begins in KINDS.items() if re.match(begins, command)), None)


def overrides(command):
    """The arguments of a command of the pipeline."""
    return shlex.split(command)[3:]

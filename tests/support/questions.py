"""Questions to a run, asked where none of the large libraries can be imported."""

import subprocess
import sys

from tests.support.commands import environment

NOTHING_HEAVY = (
    "import sys; sys.modules.update(dict.fromkeys(['tensorflow', 'keras', 'mlflow', 'sklearn']));"
    "from pipeline.predict import main; main()"
)


def ask(folder, *arguments):
    """Run `python -m pipeline.predict arguments` to its end in a folder."""
    return subprocess.run(
        [sys.executable, "-c", NOTHING_HEAVY, *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

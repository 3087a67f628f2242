"""The package as `pip install` leaves it, for commands that run away from the repository."""

import shutil
import subprocess
import sys

from tests.support.commands import environment
from tests.support.documentation import REPOSITORY

PACKED = ("pyproject.toml", "README.md", "LICENSE", "conf", "pipeline", "scratch_forward")


def install(folder):
    """Put a wheel's content into a folder of this one; what it needs is that of this Python."""
    source, site = folder / "source", folder / "site"
    source.mkdir()
    for name in (*PACKED, "hydra_plugins"):
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy
        copy(REPOSITORY / name, source / name)
    wheel = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", source / "dist", source]
    pip(*wheel)
    pip("install", "--no-deps", "--no-index", "--target", site, *(source / "dist").glob("*.whl"))
    return site


def pip(*arguments):
    command = [sys.executable, "-m", "pip", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def call_installed(site, folder, module, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=environment(PYTHONPATH=str(site)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout

"""Copies of stores that were made once: creating the tables of a database takes seconds."""

import shutil

from pipeline.tracking.local_database import FOLDER
from pipeline.tracking.store import open_local
from tests.support.once import once


def fresh_database(tmp_path_factory):
    """The file of a database that nothing was written to."""
    folder, _ = once(tmp_path_factory, "template", lambda folder: open_local(folder) and None)
    return folder / FOLDER / "mlflow.db"


def stock(folder, database):
    """Put a copy of the database where a command that runs in the folder has its own."""
    (folder / FOLDER).mkdir()
    shutil.copy(database, folder / FOLDER)
    return folder


def copy_store(folder, to):
    """Copy a folder with its store, whose artifacts are then looked for in the copy."""
    shutil.copytree(folder, to)
    open_local(to)
    return to

"""What is expensive to make is made by the first of pytest's workers that needs it, for all."""

import os
import pickle

from filelock import FileLock


def once(tmp_path_factory, name, make):
    """Give a folder and what `make(folder)` returned, which has to be picklable."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # each worker's own folder lies in a common one
        root = root.parent
    folder, result = root / name, root / f"{name}.pickle"
    with FileLock(root / f"{name}.lock"):
        if not result.exists():
            folder.mkdir()
            result.write_bytes(pickle.dumps(make(folder)))
    return folder, pickle.loads(result.read_bytes())

"""Imports of every worker, done once by the process that workers are forked from.

A replacement worker starts at once, and several workers import no more than one does.
"""

import gc
import signal

from pipeline.job.interruption import ENDING
from pipeline.models.memory import keep_freed_memory
from pipeline.sweep.workers.lifetime import end_with_parent

for number in {*ENDING} - {signal.SIGTERM}:  # the sweep handles Ctrl-C and a closed terminal
    signal.signal(number, signal.SIG_IGN)
end_with_parent()  # the sweep may have nothing to train and end during these imports
keep_freed_memory()  # before threads start
gc.disable()  # imports create many objects and no garbage

import hydra  # noqa: E402, F401
import mlflow.pyfunc  # noqa: E402
import mlflow.store.tracking.sqlalchemy_store  # noqa: E402, F401

import pipeline.data.loading  # noqa: E402
import pipeline.sweep.launched_job  # noqa: E402, F401

gc.freeze()  # modules stay: collections during a job should skip them
gc.enable()

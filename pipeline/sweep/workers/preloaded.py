"""What every worker of a sweep has imported: once, by the process that they are forked from.

A worker that replaces another one is there at once, and several import no more than one does.
"""

import gc
import signal

from pipeline.job.interruption import ENDING
from pipeline.models.memory import keep_freed_memory
from pipeline.sweep.workers.lifetime import end_with_parent

for number in {*ENDING} - {signal.SIGTERM}:  # Ctrl-C and a closed terminal are the sweep's
    signal.signal(number, signal.SIG_IGN)
end_with_parent()  # the sweep, which may have nothing to train and be over before this is
keep_freed_memory()  # before there are threads
gc.disable()  # while so much is imported, of which nothing is garbage

import hydra  # noqa: E402, F401
import mlflow.pyfunc  # noqa: E402
import mlflow.store.tracking.sqlalchemy_store  # noqa: E402, F401

import pipeline.data.loading  # noqa: E402
import pipeline.sweep.launched_job  # noqa: E402, F401

gc.freeze()  # nor will it be: let no job's collection look through it
gc.enable()

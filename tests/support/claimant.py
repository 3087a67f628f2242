"""python -m tests.support.claimant uri job steps silence: claim a job, track it, say what happens.

Args:
    uri: of an MLflow server.
    job: the identity that is claimed.
    steps: points of the curve that its run gets.
    silence: seconds after which a process on another machine counts as dead.
"""

import sys
import time

from pipeline.errors import ClaimLostError
from pipeline.tracking import heartbeats, names, server_claims
from pipeline.tracking.attempts import standings
from pipeline.tracking.claims import claim
from pipeline.tracking.store import Store
from pipeline.tracking.tracked_run import tracked_run

EXPERIMENT, CURVE = "claimed", "loss/train"


def say(word):
    print(word, flush=True)


def train(store, job, steps):
    with claim(store, job, lambda: say("waits")) as held:
        experiment = held.experiment(EXPERIMENT).experiment_id
        earlier = standings(held, EXPERIMENT, [job], "")[job]
        tags = {names.IDENTITY: job}
        with tracked_run(held, experiment, job, tags, resume=earlier.run_id) as run:
            say("holds")
            for step in range(1, steps + 1):
                run.log_metrics({CURVE: float(step)}, step)
                run.flush()
                say(step)
                time.sleep(0.05)


def main():
    uri, job, steps, silence = sys.argv[1:]
    heartbeats.SILENT_SECONDS = float(silence)
    heartbeats.BEAT_SECONDS = server_claims.TRUSTED_SECONDS = float(silence) / 8
    try:
        train(Store(uri), job, int(steps))
    except ClaimLostError:
        say("lost")
    else:
        say("finished")


if __name__ == "__main__":
    main()

"""python -m tests.support.store_writer worker runs [uri]: track runs as training does."""

import random
import sys

from pipeline.tracking import names
from pipeline.tracking.store import join_store
from pipeline.tracking.tracked_run import tracked_run

EXPERIMENT = "shared"
EPOCHS = range(1, 11)
SCORES = tuple(f"test/score_{number}" for number in range(40))
PARAMS = tuple(f"param_{number}" for number in range(30))
WEIGHTS = ("model.keras", "model.weights.h5", "preprocessing.json")
TEXTS = ("config/config.yaml", "environment/packages.txt", "reports/report.txt")


def name_of(worker, number):
    return f"worker={worker} run={number}"


def point(name, curve, epoch):
    return random.Random(f"{name} {curve} {epoch}").random()


def content(name, file):
    return random.Random(f"{name} {file}").randbytes(50_000)


def track(store, name):
    experiment = store.experiment(EXPERIMENT)
    with tracked_run(store, experiment.experiment_id, name, {"sweep": "s"}) as run:
        run.log_params({key: f"{name} {key}" for key in PARAMS})
        run.log_dataset("digits", "0123456789ab", "bundled")
        for path in TEXTS:
            run.log_text(name, path)
        for epoch in EPOCHS:
            run.log_metrics(
                {curve: point(name, curve, epoch) for curve in names.curves("accuracy")}, epoch
            )
        run.log_metrics({score: point(name, score, 0) for score in SCORES})
        with run.artifact_folder("weights") as folder:
            for file in WEIGHTS:
                (folder / file).write_bytes(content(name, file))
        run.set_tags({"parity": "exact", "parity.reason": ""})


def main():
    worker, runs, *uri = sys.argv[1:]
    store = join_store("server", *uri) if uri else join_store("local")
    for number in range(int(runs)):
        track(store, name_of(worker, number))


if __name__ == "__main__":
    main()

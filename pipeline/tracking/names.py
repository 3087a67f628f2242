"""Every tag, metric and artifact path of a run, each defined once; no MLflow.

A constant that ends in `/`, `.` or `_` is a prefix of several names.
"""

from collections.abc import Mapping

# Tags of a job's run. The bookkeeping tags begin with `track.`, which sorts them last.
IDENTITY = "track.identity"  # hash of everything that determines the run's result
CODE_VERSIONS = "track.code"  # hashes of the code of the training and of the model, as JSON
OWNER = "track.owner"  # the process that trains it
HEARTBEAT = "track.heartbeat"  # seconds since 1970 at which that process was last seen
EARLIER_OWNER = "owner"  # the same in runs of earlier versions
EARLIER_HEARTBEAT = "heartbeat"
PARITY = "parity"  # outcome of the check against NumPy, such as exact; the tags of `Parity`
PARITY_REASON = "parity.reason"  # one sentence, for anything but exact
ERROR = "error"  # type and message of the exception that ended it
PRUNED = "pruned"  # reason why a search stopped it
DEGENERATE = "degenerate"  # "no", or how strongly the predictions favour one class
TASK = "task"  # the meaning of its outputs; see `task_of`
DATA = "data"  # a description of the data set
DATA_SYNTHETIC = "data.synthetic"  # whether the data set was generated
SPLITS = ("train", "validation", "test")
FINGERPRINTS = "track.fingerprints"  # hash of each split's arrays
FINGERPRINT = "fingerprint."  # prefix, with a split's name: the same in runs of earlier versions
FIRST_SWEEP = "sweep"  # id of the sweep that trained it
ORIGIN = "moved.run_id"  # id of the run in the store that it was copied from
GIT_DIRTY = "git.dirty"  # whether the checkout differed from its commit


def task_of(tags: Mapping[str, str]) -> str:
    """Return the task that a run's tags name; runs of earlier versions are all multiclass."""
    return tags.get(TASK, "multiclass")


def fingerprint(split: str) -> str:
    """Return the tag with the hash of a split's arrays in runs of earlier versions."""
    return f"{FINGERPRINT}{split}"


def sweep_tag(sweep_id: str) -> str:
    """Return the tag of all runs of a sweep, whichever sweep trained them."""
    return f"sweep.{sweep_id}"


# Tags of a sweep's own run.
KIND = "kind"  # distinguishes it from the runs of jobs
SWEEP = "sweep"  # the value of KIND
SWEEP_ID = "sweep.id"
STUDY = "study"  # name of the study that the sweep belongs to
SEARCH = "search"  # the metric that a search optimises

# Tags that MLflow's UI reads.
USER = "mlflow.user"
SOURCE_NAME = "mlflow.source.name"
SOURCE_TYPE = "mlflow.source.type"
GIT_COMMIT = "mlflow.source.git.commit"
DESCRIPTION = "mlflow.note.content"
DATA_CONTEXT = "mlflow.data.context"  # purpose of a run's data set
SHARED_VIEW = "mlflow.sharedViewState."  # prefix, with a key: a saved view of an experiment

# Metrics. The prefix is the section in MLflow's charts.
LOSS_TRAIN = "loss/train"
LOSS_VALIDATION = "loss/validation"
ACCURACY_VALIDATION = "accuracy/validation"
MAE_TRAIN = "mae/train"
MAE_VALIDATION = "mae/validation"
LEARNING_RATE = "learning_rate"
EPOCH_SECONDS = "epoch_seconds"
TEST = "test/"  # with a score's name: on the test data
VALIDATION = "validation/"  # with a score's name: on the validation data
TEST_F1_MACRO = "test/f1_macro"
VALIDATION_F1_MACRO = "validation/f1_macro"
BEST = "best/"  # with an epoch metric's name: at the epoch of minimum validation loss
BEST_EPOCH = "best/epoch"
BEST_LOSS_VALIDATION = "best/loss_validation"
BEST_ACCURACY_VALIDATION = "best/accuracy_validation"
BEST_MAE_VALIDATION = "best/mae_validation"
BASELINE = "baseline/"  # of always predicting the same
PARITY_NUMBER = "parity/"  # with the name of a difference or an error
EVALUATION = "evaluation/"  # with the data's name and a score's: on data given later
PARITY_MAX_ABS_DIFF = "parity/max_abs_diff"
SECONDS = "seconds"  # from the start to the end of the check, without interruptions
PARAMETERS = "parameters"  # number of weights


def parity_score(score: str, side: str) -> str:
    """Return the metric of a compared score: by `keras`, by `scratch`, or the `delta` of both."""
    return f"{PARITY_NUMBER}{score}_{side}"


def evaluation(data: str, number: str) -> str:
    """Return the metric of a score on other data, `evaluation/new/f1_macro`."""
    return f"{EVALUATION}{data}/{number}"


def baseline(kind: str, score: str) -> str:
    """Return the metric of a baseline's score: `baseline/majority_f1_macro`."""
    return f"{BASELINE}{kind}_{score}"


def epoch_metrics(measure: str) -> dict[str, str]:
    """Return the metric of each field of an `Epoch` with this measure."""
    return {
        "loss_train": LOSS_TRAIN,
        "loss_validation": LOSS_VALIDATION,
        "measure_train": f"{measure}/train",
        "measure_validation": f"{measure}/validation",
        "learning_rate": LEARNING_RATE,
        "seconds": EPOCH_SECONDS,
    }


def curves(measure: str) -> tuple[str, ...]:
    """Return the metrics that are drawn by epoch."""
    return LOSS_TRAIN, LOSS_VALIDATION, f"{measure}/train", f"{measure}/validation"


def best_metrics(measure: str) -> dict[str, str]:
    """Return the metric, at the best epoch, of each field of an `Epoch` with this measure."""
    return {
        "number": BEST_EPOCH,
        "loss_train": f"{BEST}loss_train",
        "loss_validation": BEST_LOSS_VALIDATION,
        "measure_train": f"{BEST}{measure}_train",
        "measure_validation": f"{BEST}{measure}_validation",
        "learning_rate": f"{BEST}learning_rate",
        "seconds": f"{BEST}seconds",
    }


# Artifacts of a job's run: folders, and paths within them.
CONFIG_FOLDER = "config"
CONFIG = "config/config.yaml"  # the composed configuration
OVERRIDES = "config/overrides.yaml"  # the settings that were set by hand
PACKAGES = "environment/packages.txt"
MACHINE = "environment/machine.json"
CODE = "code"  # the files of a user's model function
CHECKSUMS = "data/checksums.json"  # of the files that the data were read from
CHECKPOINTS = "checkpoint"  # states to resume from, until the run ends
WEIGHTS = "weights"
KERAS_MODEL = "weights/model.keras"
PREPROCESSING = "weights/preprocessing.json"
SERVED_MODEL = "model"  # the MLflow model
PREDICTIONS = "predictions"
TEST_PREDICTIONS = "predictions/test.npz"  # Keras's outputs, and the labels
CLASSIFICATION_REPORT = "reports/classification_report.txt"
RESIDUALS = "reports/residuals.txt"  # the report of a regression
FIGURES = "figures"
PARITY_OUTCOME = "parity/parity.json"
PARITY_REPORTS = "parity/classification_reports.txt"  # Keras's and NumPy's, side by side
PARITY_RESIDUALS = "parity/residuals.txt"  # the same for a regression
PARITY_SCORES = "parity/class_scores.json"  # per class or target, by Keras and by NumPy
MISTAKES = "parity/mistakes.json"  # the most confident mistakes on the test set
WORST_EXAMPLES = "parity/worst_examples.json"  # the examples on which the two differ most
DIAGNOSIS = "parity/diagnosis.csv"  # both models, layer by layer
EVALUATIONS = "evaluations"  # a folder per data set that the run was evaluated on later
PAGE = "report.html"
LOG = "log.txt"  # what the training printed
TRACEBACK = "error/traceback.txt"
MANIFEST = "manifest.json"  # the SHA-256 of each artifact


def evaluation_document(data: str) -> str:
    """Return the path of an evaluation's data, scores and parity as JSON."""
    return f"{EVALUATIONS}/{data}/evaluation.json"


def test_report(task: str) -> str:
    """Return the path of the report on the test data."""
    return RESIDUALS if task == "regression" else CLASSIFICATION_REPORT


def parity_reports(task: str) -> str:
    """Return the path of both test reports, side by side."""
    return PARITY_RESIDUALS if task == "regression" else PARITY_REPORTS


# Artifacts of a sweep's own run.
PLAN = "sweep/plan.json"  # its command, varied keys, and the parameters of each job
FINISHED_JOBS = "sweep/finished.json"  # the id of each job's finished run, by the job's identity
SWEEP_REPORT = "report"  # folder; its page has the same name as a run's
SEARCH_RESULTS = "search"  # folder

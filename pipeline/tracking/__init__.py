"""MLflow: the store, a tracked run, what was running, links into the UI."""

import os

# Read by MLflow: no bar for each download, no line for each run, nothing sent to anybody.
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

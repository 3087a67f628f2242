"""MLflow: the store, a tracked run, what was running, links into the UI."""

import os

# Read by MLflow when it is imported: no bar for each download, nothing sent to anybody.
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

"""MLflow: the store, a tracked run, what was running, links into the UI."""

import os

# Read by MLflow: no bar for each download, no line for each run, nothing sent to anybody, and one
# try for each request of at most half a minute: `retries` repeats it, for a minute altogether.
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")

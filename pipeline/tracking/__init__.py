"""MLflow: the store, tracked runs, the environment of a run, links into the UI."""

import os
import warnings

# Read by MLflow: no progress bar per download, no line per run, no telemetry, and a single attempt
# of up to 30 s per request: `retries` repeats it for a minute in total.
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
# In a notebook without ipywidgets, MLflow's import would warn that there is no progress bar.
warnings.filterwarnings("ignore", "IProgress not found")

"""MLflow: the store, a tracked run, what was running, links into the UI."""

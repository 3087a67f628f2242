"""The interpretation of predictions: scores, reports and baselines."""

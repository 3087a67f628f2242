"""What a prediction means: scores, reports and baselines."""

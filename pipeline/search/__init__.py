"""Hyperparameter search with Optuna: search space, trials, results."""

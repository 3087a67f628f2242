"""Hyperparameter search with Optuna: space, trials, results."""

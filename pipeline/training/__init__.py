"""Fitting a Keras model: compilation, batches, resuming; every file decides a run's numbers."""

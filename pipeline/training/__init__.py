"""Fits a Keras model: compilation, batches, resuming. Every file affects a run's numbers."""

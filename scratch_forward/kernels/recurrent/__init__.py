"""Recurrent kernels for ragged, time-major batches."""

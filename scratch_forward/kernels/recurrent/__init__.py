"""Recurrent layers over ragged, time-major batches."""

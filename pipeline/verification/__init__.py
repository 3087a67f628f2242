"""The independent check of a run: pull its artifacts, predict with NumPy, compare, diagnose."""

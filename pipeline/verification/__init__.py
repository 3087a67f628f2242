"""The independent check of a run: download artifacts, predict in NumPy, compare, diagnose."""

"""Errors of the store, apart from it so that telling them needs no MLflow."""


class StoreError(Exception):
    """The store cannot be used; one sentence says why."""


class CutShortError(OSError):
    """What the store gives back is not what was sent to it."""

"""The error of a model function."""


class ModelFunctionError(ValueError):
    """A model function does not return a model for its data; the message says why."""

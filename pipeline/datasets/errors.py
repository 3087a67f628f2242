"""The one error a data set raises when it cannot be had or cannot be used."""


class DatasetError(Exception):
    """One clear sentence: what was wrong, its value or place, and what is allowed."""

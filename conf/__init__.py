"""Hydra's configuration files: the one source of every default and its documentation."""

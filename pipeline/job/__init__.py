"""One run from start to finish: identity, what is recorded, interruption."""

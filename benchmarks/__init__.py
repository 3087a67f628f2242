"""Speed of `scratch_forward` beside its peers, measured so that they do not disturb each other."""

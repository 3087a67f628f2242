"""The page of a single run: settings, training, scores, parity, and how to repeat it."""

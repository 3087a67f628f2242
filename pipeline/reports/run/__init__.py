"""A run's own page: what was set, how it went, how well it agrees, how to do it again."""

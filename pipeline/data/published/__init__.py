"""Published data sets: downloaded once and verified."""

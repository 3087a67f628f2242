"""The terminal interface: help, plan, progress and results."""

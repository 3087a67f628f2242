"""Figures and pages of runs, studies and sweeps."""

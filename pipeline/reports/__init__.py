"""Figures and pages: what runs, studies and sweeps show."""

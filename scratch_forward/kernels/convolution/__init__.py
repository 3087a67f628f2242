"""Convolution methods."""

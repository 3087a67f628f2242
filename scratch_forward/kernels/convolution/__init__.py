"""Convolution kernels and the choice between them."""

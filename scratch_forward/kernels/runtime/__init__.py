"""Threads, BLAS and reused buffers."""

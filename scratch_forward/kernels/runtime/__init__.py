"""Threads, BLAS and reusable buffers."""

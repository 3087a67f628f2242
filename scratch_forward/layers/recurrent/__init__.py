"""Recurrent layers: cells that compute one step, layers that run them over time, and wrappers.

A cell computes one step from its projected input and its states. For streaming, it can be called
step by step (`cell`). A layer projects the inputs of all steps by one matrix product, then loops
over time (`rnn`). `simple_rnn`, `lstm` and `gru` each contain a cell and its layer.
"""

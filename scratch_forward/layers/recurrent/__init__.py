"""Recurrent layers: cells that compute one step, layers that run them over time, wrappers.

A cell computes one step from its projected input and its states, and can be stepped by hand for
streaming (`cell`). A layer projects the inputs of all steps by one matrix product, then loops
(`rnn`); `simple_rnn`, `lstm` and `gru` hold a cell and its layer each.
"""

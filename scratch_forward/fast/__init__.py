"""How a model predicts fast: runs of its layers become stages that compute them together.

`fusion` decides which layers; `image_stage` and `sequence_stage` turn them into stages made of
kernels; `plan` runs a data set through the stages, in chunks spread over the cores. The layers
themselves stay as their equations read, and a stage gives what they give, up to rounding.
"""

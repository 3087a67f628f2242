"""Fast prediction: sequences of layers are fused into stages that compute them together.

`fusion` decides which layers are fused. `image_stage` and `sequence_stage` build the stages from
kernels. `plan` runs a data set through the stages, in chunks distributed over the cores. The layers
keep their plain equations. A stage computes the same values as its layers, except for rounding.
"""

"""Fast arithmetic for the layers: pure functions of arrays, nothing known of layers or models.

`convolution.prepare` turns a kernel into a plan that picks the cheapest exact-enough method
(`direct`, `depthwise`, `winograd`, `fourier`), and `stack` carries groups of images through plans
with the batch as last axis; `unrolled` is for few images. `recurrent` runs SimpleRNN, LSTM and GRU
over whole sequences, and `sequence_stack` several of them. `threads` spreads work over cores.
"""

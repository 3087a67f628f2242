"""Fast arithmetic for the layers: pure functions of arrays, nothing known of layers or models.

`convolution.prepare` turns a kernel into a plan that picks the cheapest exact-enough method
(`direct`, `winograd`, `fourier`); `recurrent` runs SimpleRNN, LSTM and GRU over whole sequences;
`stack` carries groups of images through plans in one layout; `threads` spreads work over cores.
"""

"""Fast arithmetic for the layers: pure functions of arrays, nothing known of layers or models.

`convolution/` holds the methods to convolve (`direct`, `depthwise`, `winograd`; `im2col` for few
images), the planner that picks one by its estimated cost (`convolution2d`), and `batch_last`, which
carries groups of images through several layers. `recurrent/` runs SimpleRNN, LSTM and GRU over
ragged sequences, one layer (`recurrence`), several (`layer_stack`) or several at once
(`wavefront`). `runtime/` has threads, BLAS, matrix products cut to size and reused buffers.
"""

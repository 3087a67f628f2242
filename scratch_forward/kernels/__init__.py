"""Fast numerical kernels: pure functions of arrays, independent of layers and models.

`convolution/` contains the convolution methods (`direct`, `depthwise`, `winograd`, and `im2col` for
few images), the planner that selects one by its estimated cost (`convolution2d`), and `batch_last`,
which takes groups of images through several layers. `recurrent/` runs SimpleRNN, LSTM and GRU over
ragged sequences: one layer (`recurrence`), several in turn (`layer_stack`), or several at once
(`wavefront`). `runtime/` contains threads, BLAS, matrix products of limited size and buffers.
"""

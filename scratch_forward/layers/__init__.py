"""The layers, one file a family (one a layer in `recurrent`), and the one registry of them."""

from __future__ import annotations

from scratch_forward.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from scratch_forward.layers.attention import AdditiveAttention, Attention
from scratch_forward.layers.base import Layer
from scratch_forward.layers.convolution import Conv1D, Conv2D, DepthwiseConv2D, SeparableConv2D
from scratch_forward.layers.core import (
    ActivityRegularization,
    Dense,
    Embedding,
    Identity,
    Input,
    InputLayer,
    Masking,
)
from scratch_forward.layers.einsum_dense import EinsumDense
from scratch_forward.layers.merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
)
from scratch_forward.layers.multi_head_attention import GroupQueryAttention, MultiHeadAttention
from scratch_forward.layers.normalization import (
    BatchNormalization,
    LayerNormalization,
    Normalization,
    Rescaling,
)
from scratch_forward.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
)
from scratch_forward.layers.recurrent.bidirectional import Bidirectional
from scratch_forward.layers.recurrent.gru import GRU, GRUCell
from scratch_forward.layers.recurrent.lstm import LSTM, LSTMCell
from scratch_forward.layers.recurrent.rnn import RNN
from scratch_forward.layers.recurrent.simple_rnn import SimpleRNN, SimpleRNNCell
from scratch_forward.layers.recurrent.stacked_rnn_cells import StackedRNNCells
from scratch_forward.layers.recurrent.time_distributed import TimeDistributed
from scratch_forward.layers.regularization import (
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
)
from scratch_forward.layers.reshaping import (
    Flatten,
    Permute,
    RepeatVector,
    Reshape,
    ZeroPadding1D,
    ZeroPadding2D,
)
from scratch_forward.layers.text import TextVectorization

LAYERS: dict[str, type[Layer]] = {
    layer.__name__: layer
    for layer in (
        *(InputLayer, Dense, EinsumDense, Embedding, Masking, Identity, ActivityRegularization),
        *(Attention, AdditiveAttention, MultiHeadAttention, GroupQueryAttention),
        *(SimpleRNNCell, LSTMCell, GRUCell, StackedRNNCells),
        *(SimpleRNN, LSTM, GRU, RNN, Bidirectional, TimeDistributed),
        *(Conv1D, Conv2D, DepthwiseConv2D, SeparableConv2D),
        *(MaxPooling1D, MaxPooling2D, AveragePooling1D, AveragePooling2D),
        *(GlobalMaxPooling1D, GlobalMaxPooling2D),
        *(GlobalAveragePooling1D, GlobalAveragePooling2D),
        *(Flatten, Reshape, Permute, RepeatVector, ZeroPadding1D, ZeroPadding2D),
        *(BatchNormalization, LayerNormalization, Rescaling, Normalization),
        *(Dropout, SpatialDropout1D, SpatialDropout2D, GaussianDropout, GaussianNoise),
        *(AlphaDropout, Activation, ReLU, LeakyReLU, ELU, PReLU, Softmax),
        *(Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot),
        TextVectorization,
    )
}

__all__ = [*sorted(LAYERS), "LAYERS", "Input", "Layer"]

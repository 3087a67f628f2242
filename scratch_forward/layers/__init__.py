"""The layers and their registry. There is one file per family, and one per layer in `recurrent`.

Shapes use these letters: N examples in a batch, T time steps, H and W height and width, D depth, C
channels. `...` stands for any number of axes.
"""

from __future__ import annotations

from scratch_forward.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from scratch_forward.layers.adaptive_pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
)
from scratch_forward.layers.applications import CustomScaleLayer, LayerScale, StochasticDepth
from scratch_forward.layers.attention import AdditiveAttention, Attention
from scratch_forward.layers.base import Layer
from scratch_forward.layers.categories import CategoryEncoding, Discretization
from scratch_forward.layers.convolution import (
    Conv1D,
    Conv2D,
    Conv3D,
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
)
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
from scratch_forward.layers.hashing import HashedCrossing, Hashing
from scratch_forward.layers.image_preprocessing import (
    RANDOM_IMAGE_LAYERS,
    AutoContrast,
    CenterCrop,
    Resizing,
)
from scratch_forward.layers.lookup import IntegerLookup, StringLookup
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
    GroupNormalization,
    LayerNormalization,
    Normalization,
    Rescaling,
    RMSNormalization,
    SpectralNormalization,
    UnitNormalization,
)
from scratch_forward.layers.pipeline import Pipeline
from scratch_forward.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from scratch_forward.layers.recurrent.bidirectional import Bidirectional
from scratch_forward.layers.recurrent.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
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
    SpatialDropout3D,
)
from scratch_forward.layers.reshaping import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    Flatten,
    Permute,
    RepeatVector,
    Reshape,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from scratch_forward.layers.reversible_embedding import ReversibleEmbedding
from scratch_forward.layers.spectrogram import STFTSpectrogram
from scratch_forward.layers.text_vectorization import TextVectorization
from scratch_forward.layers.transposed_convolution import (
    Conv1DTranspose,
    Conv2DTranspose,
    Conv3DTranspose,
)
from scratch_forward.layers.upsampling import UpSampling1D, UpSampling2D, UpSampling3D

LAYERS: dict[str, type[Layer]] = {
    layer.__name__: layer
    for layer in (
        *(InputLayer, Dense, EinsumDense, Embedding, ReversibleEmbedding, Masking, Identity),
        *(ActivityRegularization,),
        *(Attention, AdditiveAttention, MultiHeadAttention, GroupQueryAttention),
        *(SimpleRNNCell, LSTMCell, GRUCell, StackedRNNCells),
        *(SimpleRNN, LSTM, GRU, RNN, Bidirectional, TimeDistributed),
        *(ConvLSTM1D, ConvLSTM2D, ConvLSTM3D),
        *(Conv1D, Conv2D, Conv3D, Conv1DTranspose, Conv2DTranspose, Conv3DTranspose),
        *(DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D),
        *(MaxPooling1D, MaxPooling2D, MaxPooling3D),
        *(AveragePooling1D, AveragePooling2D, AveragePooling3D),
        *(GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D),
        *(GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D),
        *(AdaptiveMaxPooling1D, AdaptiveMaxPooling2D, AdaptiveMaxPooling3D),
        *(AdaptiveAveragePooling1D, AdaptiveAveragePooling2D, AdaptiveAveragePooling3D),
        *(Flatten, Reshape, Permute, RepeatVector),
        *(ZeroPadding1D, ZeroPadding2D, ZeroPadding3D, Cropping1D, Cropping2D, Cropping3D),
        *(UpSampling1D, UpSampling2D, UpSampling3D),
        *(BatchNormalization, LayerNormalization, GroupNormalization, RMSNormalization),
        *(UnitNormalization, SpectralNormalization, Rescaling, Normalization),
        *(Dropout, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D),
        *(GaussianDropout, GaussianNoise),
        *(AlphaDropout, Activation, ReLU, LeakyReLU, ELU, PReLU, Softmax),
        *(Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot),
        *(LayerScale, StochasticDepth, CustomScaleLayer),
        *(Resizing, CenterCrop, AutoContrast, *RANDOM_IMAGE_LAYERS.values()),
        *(CategoryEncoding, Discretization, Hashing, HashedCrossing),
        *(StringLookup, IntegerLookup, TextVectorization, Pipeline, STFTSpectrogram),
    )
}

globals().update(RANDOM_IMAGE_LAYERS)

__all__ = [*sorted(LAYERS), "LAYERS", "Input", "Layer"]

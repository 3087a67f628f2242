"""An independent forward pass for Keras models: NumPy for the arithmetic, h5py for the weights."""

from scratch_forward.layers.text import TextVectorization

__all__ = ["TextVectorization"]

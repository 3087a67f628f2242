"""A program's first lines that make every import of TensorFlow or Keras an error."""

BLOCK = (
    "import sys; sys.modules.update(dict.fromkeys(['tensorflow','keras','jax','scipy.special']));"
    "del sys.modules['scipy.special'];"
)

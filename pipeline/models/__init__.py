"""The Keras models, one file per family."""

"""The MLflow model of a run: answers raw texts or images with NumPy, no TensorFlow."""

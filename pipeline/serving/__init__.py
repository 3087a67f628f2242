"""The MLflow model of a run: predicts for raw texts or images with NumPy, no TensorFlow."""

"""Train Keras models in Hydra sweeps, track them in MLflow, prove each one with NumPy."""

"""Safe loading of model files: file formats, limits, configuration, weights."""

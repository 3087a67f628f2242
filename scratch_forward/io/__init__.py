"""From a model file to a model, safely."""

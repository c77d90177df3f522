"""Keras files of others, rebuilt from their description without running any of their code.

- ``load.load_keras``, ``load.load_float``: .h5, .keras or a SavedModel as a model for inference.
- ``load.is_quantized``: whether it has QKeras layers.
- ``allowed``: the only classes such a file may name.
"""

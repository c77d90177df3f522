"""The door to TensorFlow: ``from tinyrobust.models.keras.tf import tf, keras``, before qkeras.

``quantizers`` and ``rounding`` are QKeras's grids made exact; ``files`` reads others' Keras files.
"""

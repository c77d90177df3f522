"""Keras or QKeras networks to .tflite and to a ladder."""

"""Keras or QKeras networks to .tflite, and to a ladder that was checked against tflite-micro.

- ``qkeras.export_qat``, ``lower.lower``: a QKeras network bit for bit.
- ``plain_keras.quantized``, ``converter.converted``: a plain Keras network through TFLiteConverter.
"""

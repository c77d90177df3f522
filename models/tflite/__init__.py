"""The .tflite container: ``reader.read_graph``, ``writer.TfliteWriter`` and the ``schema``.

``tflm_limits`` says what older TensorFlow Lite Micro computes wrongly.
"""

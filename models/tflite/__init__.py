"""The .tflite container: schema, reader, writer, and what older TensorFlow Lite Micro computes
wrongly.
"""

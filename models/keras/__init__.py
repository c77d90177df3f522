"""The door to TensorFlow: quantizers, rounding, layers, and files of Keras read without running
them.
"""

"""The plan as a TensorFlow graph: exact in every byte forward, differentiable backward.

``predictor.TwinPredictor`` is what a caller uses.
"""

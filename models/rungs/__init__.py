"""The predictors of a ladder, and what holds them against each other.

- ``ladder.Ladder``: one network with its bundle, its rungs and its test data.
- ``predictors``, ``twin.predictor``: float32 and qat, tflm, and the differentiable twin.
- ``oracle.Oracle``: tflite-micro in a child process.
- ``parity``, ``parity_layers``, ``quantization_noise``: how far an export is from its original.
"""

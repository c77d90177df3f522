"""Networks, training, export and the rungs on the host. The only package that imports TensorFlow.

- ``zoo``: the networks that come with the bench, by name, each as a ladder of rungs.
- ``user``: networks and data that a user brings.
- ``rungs``: predictors: float32, qat, the differentiable twin, and tflite-micro as the oracle.
- ``plan``: a .tflite compiled to what the firmware executes, and to C sources.
- ``export``: Keras or QKeras to .tflite, bit for bit where that is possible.
- ``training``: recipes, Jacobian regularization, committed weights.
- ``networks``, ``data``, ``keras``, ``tflite``: architectures, data sets, and the two libraries'
  doors.
"""

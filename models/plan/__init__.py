"""A .tflite compiled to the plan that the firmware executes; every parameter is resolved here."""

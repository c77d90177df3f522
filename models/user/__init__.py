"""What a user brings: a .tflite or Keras file, and data for it."""

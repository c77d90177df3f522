"""What a user brings: ``model.open_files`` turns a .tflite or Keras file and data into a ladder.

``data`` reads an .npz or the name of a data set; ``keras_model`` exports a Keras file.
"""

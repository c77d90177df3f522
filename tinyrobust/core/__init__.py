"""What every package may import; it imports nothing of ours, and TensorFlow nowhere.

- ``types``: arrays, ``TensorSpec``, ``Prediction``, ``Predictor``, ``Dataset``.
- ``cells``: ``Cell``, a point of the sweep, and ``AdversarialSet``, what was made for it.
- ``errors``: ``UsageError``, ``LinkError``, ``GateFailed``, each one line and an exit code.
- ``files``: a file that is written whole or not at all. ``cache``: the folder that outlives a run.
- ``grid``: levels of the input grid as a model's input. ``stats``: intervals and paired tests.
- ``progress``: ``Say``, and how long something slow will still take.
- ``plain``: text from elsewhere made fit to be shown. ``npz``: what a damaged file raises.
- ``abi``: what host and firmware agree on, byte for byte.
"""

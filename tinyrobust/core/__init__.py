"""What every package may import; it imports nothing of ours.

- ``types``: arrays, ``TensorSpec``, ``Prediction``, ``Predictor``, ``Dataset``.
- ``cells``: ``Cell``, a point of the sweep, and ``AdversarialSet``, what was made for it.
- ``errors``: ``UsageError``, ``LinkError``, ``GateFailed``, each one line and an exit code.
- ``files``: a file that is written whole or not at all.
- ``cache``: the folder that outlives a run.
- ``grid``, ``stats``, ``progress``: input levels, intervals and tests, time left.
- ``abi``: what host and firmware agree on, byte for byte.
"""

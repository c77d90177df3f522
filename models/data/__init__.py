"""Data sets by name, on the int8 input grid.

- ``catalog.DATASETS``, ``catalog.test_set``: all of them, for a recipe or for a user's network.
- ``splits.Splits``: train, validation, calibration and test; ``splits.dataset`` makes a part.
- ``download``: checksummed, resumable files; a copy under ``BENCH_DATA`` goes before.
"""

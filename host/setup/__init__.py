"""A bare machine to a working checkout, by the standard library alone: ``python3 -m
tinyrobust.host.setup``.
"""

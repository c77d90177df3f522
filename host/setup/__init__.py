"""A bare machine to a working checkout, by the standard library alone.

It is ``python3 -m tinyrobust.host.setup``.
"""

"""Benchmarks: ``python -m tinyrobust.host.perf`` measures, prints and writes docs/performance.md.

They are never part of a test.
"""

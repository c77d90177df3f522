"""Benchmarks: ``python -m tinyrobust.host.perf`` measures, prints and writes docs/performance.md.
Never part of a test.
"""

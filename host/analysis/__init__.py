"""Records to figures: accuracies, distances, tests, flags, gates.

Runs nothing and draws nothing.
"""

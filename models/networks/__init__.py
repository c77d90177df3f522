"""Architectures, each in float and in QKeras; ``published`` is a table of others' networks."""

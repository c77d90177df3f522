"""What is asked of a run: ``bench.toml``, options, floors, and the parts of a firmware."""

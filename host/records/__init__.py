"""A run's folder: its schema, how it is written, and how it is read back."""

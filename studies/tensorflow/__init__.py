"""Sums of TensorFlow against integers: which shapes it gets wrong, and the page that says so."""

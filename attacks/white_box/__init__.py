"""Attacks that follow gradients, one family a file."""

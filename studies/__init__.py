"""Experiments on the committed networks, each one command."""

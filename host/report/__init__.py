"""Figures to a self-contained page, and to the tables and the summary beside it."""

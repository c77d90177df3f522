"""Attacks that only ask for scores or decisions, and what they are made of."""

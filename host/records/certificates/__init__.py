"""Certificates on disk: a folder that fills up, and what of it stands beside a run's records."""

"""Data sets by name: downloads with checksums, splits, and how samples reach the input grid."""

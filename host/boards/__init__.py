"""The boards by name, and what builds, emulates and programs them."""

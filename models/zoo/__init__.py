"""The networks that come with the bench, by name."""

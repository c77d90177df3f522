"""One run: the sweep, the adversarial sets, the questions, the records."""

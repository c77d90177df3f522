"""Linear bounds: straight lines around every rounding, carried back to the input."""

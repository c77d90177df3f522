"""Sound bounds on the outputs of a compiled plan over boxes of its input grid, and decisions."""

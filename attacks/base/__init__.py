"""What every attack is given: the problem, the input grid, the smallest change found so far."""

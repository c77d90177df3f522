"""Perturbations, from uniform noise to white-box attacks, on the input lattice of the chip."""

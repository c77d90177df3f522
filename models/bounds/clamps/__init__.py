"""Branch and bound over the clamps of activations: below, between or above, one at a time."""

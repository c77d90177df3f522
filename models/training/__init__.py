"""How the committed weights are made: recipes, the training loop, Jacobian regularization."""

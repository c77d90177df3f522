"""How weights are made.

- ``make_weights``: the command that trains ``recipes.RECIPES`` and commits what they give.
- ``trainer.Trainer``: AdamW, checkpoints and Jacobian penalties; it makes the committed weights.
- ``adversarial``: the same on adversarial examples, with averaged weights.
- ``cached_training``: Keras's own loop, whose weights are kept in the cache; for the zoo.
- ``weight_files``: the committed weights and the card beside each.
"""

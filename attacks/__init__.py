"""Adversarial examples on the int8 input grid. Knows predictors, never boards or models.

- ``registry``: every attack and every group of attacks by name; ``find`` and ``expand``.
- ``make``: ``make`` returns the adversarial set of one cell; its steps can be called one by one.
- ``checks``: what makes a result suspect, as typed flags.
- ``versions``: which sources an attack's bytes depend on, for caches.
- ``table``: writes the tables of docs/attacks.md.
- ``base``, ``gradients``, ``black_box``, ``white_box``: the attacks and what they are made of.
"""

"""Training on adversarial examples of the network as it is at that step (Madry et al. 2018).

- ``plan``: what the adversary may do, and the schedule it is part of.
- ``example``: the examples, on whole levels of the input.
- ``step``, ``averages``: one update, and the moving average of the weights.
- ``trainer``: the training, which keeps the epoch whose average is most robust on validation data.
"""

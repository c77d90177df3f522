"""A 224x224, 4-class CNN in the size of S4's Coffee network (31 M MACs, 250 k weights).

Costa and Pinto's data cannot be had and their layer table was not found; only the two sizes are theirs.
"""

from __future__ import annotations

from models.chain import Chain, Conv

CHAIN = Chain(
    name="coffee",
    shape=(224, 224, 3),
    convs=tuple(Conv(filters, strides=(2, 2)) for filters in (16, 24, 32, 64, 128, 128)),
    pool=(4, 4),
    classes=4,
)

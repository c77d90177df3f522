"""The words that settings of a run choose from; those of a firmware's parts are in ``parts``."""

from __future__ import annotations

TRANSFER, TWIN, BOARD = ACCESS = ("transfer", "twin", "board")
"""What the adversary has."""
OWN, AFTER, INNER, NATIVE, STUDY = LATTICES = ("own", "after", "inner", "native", "study")
"""How attacks are brought to the input grid; ``own``: as suits each attack, on 256 levels."""
LOGITS, FLASHED = SCORES = ("logits", "flashed")
"""What attacks on scores are shown of an integer network that ends in SOFTMAX."""
SEARCHES = ("litert", TWIN)
"""Where attacks that only ask may search instead."""
INT8, UINT8 = ENCODINGS = ("int8", "uint8")
"""What an MLPerf Tiny firmware is fed."""
ACTIVATIONS = ("int8", "int16x8")
"""What a plain Keras model is quantized to."""
METHODS = ("auto", "interval", "crown-ibp", "linear")
"""How certificates are made."""
EMULATORS = ("qemu", "renode")
"""Programs that run the image of a real board without it."""

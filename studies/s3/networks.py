"""The four networks of S3, from the published reference to the paper's own kind, a step apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tinyrobust.core.progress import to_stderr
from tinyrobust.models.rungs.ladder import Ladder
from tinyrobust.models.zoo.catalog import open_model
from tinyrobust.models.zoo.mlperf_tiny import calibration_rows, resnet8, unseen

REFERENCE = "mlperf-resnet8"
"""MLPerf Tiny's ResNet8 in int8, as published: what the paper compares itself with."""
CONTROL = "s3-ptq"
"""The architecture of the paper's family in plain int8, quantized after training."""
TERNARY = "s3-ternary"
"""The same architecture in stochastic ternary weights, trained in the quantizers."""
PENALIZED = "s3-ternary-jr"
"""The same, with the paper's penalty on every layer's Jacobian."""
NETWORKS = (REFERENCE, CONTROL, TERNARY, PENALIZED)


@dataclass(frozen=True)
class Step:
    """What lies between two of the networks."""

    name: str
    before: str
    after: str


STEPS = (
    Step("architecture and its training", REFERENCE, CONTROL),
    Step("ternary weights", CONTROL, TERNARY),
    Step("Jacobian penalty", TERNARY, PENALIZED),
    Step("all three: the claim", REFERENCE, PENALIZED),
)


def open_ladder(name: str, cache: Path) -> Ladder:
    """The network on the test images that MLPerf's calibration has not seen."""
    if name == REFERENCE:
        return resnet8(cache, to_stderr)
    ladder = open_model(name, cache, to_stderr)
    return replace(ladder, test=unseen(ladder.test, calibration_rows(to_stderr)))

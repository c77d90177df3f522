"""Which of its exchangeable parts a firmware is built of: protocol, engine, linked sources."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinyrobust.core.errors import UsageError

TINYROBUST = "tinyrobust"
MLPERF_TINY = "mlperf-tiny"
PROTOCOLS = (TINYROBUST, MLPERF_TINY)
CMSIS_NN = "cmsis-nn"
TFLM = "tflm"
ENGINES = (CMSIS_NN, TFLM)


@dataclass(frozen=True)
class Parts:
    """The parts besides the board's own. Raises UsageError on an unknown protocol or engine."""

    protocol: str = TINYROBUST
    engine: str = CMSIS_NN
    sources: tuple[Path, ...] = ()
    """Generated C++ files to link in: the built-in plan, a model."""

    def __post_init__(self) -> None:
        for what, name, known in (
            ("protocol", self.protocol, PROTOCOLS),
            ("engine", self.engine, ENGINES),
        ):
            if name not in known:
                raise UsageError(f"unknown {what} {name!r}: known are {', '.join(known)}")

    @property
    def variant(self) -> str:
        """Names the build folder: images of other parts never overwrite each other.

        Empty for the usual ones.
        """
        usual = (TINYROBUST, CMSIS_NN)
        return "-".join(part for part in (self.protocol, self.engine) if part not in usual)

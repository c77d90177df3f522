"""Which settings of a run go together, and which values each of them may have."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

from tinyrobust.core.errors import UsageError
from tinyrobust.host.config.choices import ACCESS
from tinyrobust.host.config.parts import MLPERF_TINY
from tinyrobust.host.config.settings import settings

if TYPE_CHECKING:
    from tinyrobust.host.config.bench import Config

MAX_SEED = 2**31 - 1
MAX_QUERIES = 10**9
MAX_SECONDS = 86400


def check(config: Config) -> None:
    """Raises UsageError, which names the setting, on a value that no run can have."""
    _check_numbers(config)
    _check_lists(config)
    _check_choices(config)
    _check_model(config)


def _check_numbers(config: Config) -> None:
    for eps in config.eps:
        if not (math.isfinite(eps) and eps >= 0):
            raise UsageError(f"eps {eps:g}: a budget is a multiple of the input range, 0 or more")
    if config.samples is not None and config.samples < 1:
        raise UsageError(f"samples {config.samples}: at least 1")
    if config.queries is not None and not 1 <= config.queries <= MAX_QUERIES:
        raise UsageError(f"queries {config.queries}: 1 to {MAX_QUERIES} for each sample")
    if not 0 <= config.certify_budget <= MAX_SECONDS:
        raise UsageError(
            f"certify_budget {config.certify_budget:g}: 0 to {MAX_SECONDS} seconds a sample"
        )
    for seed in config.seeds:
        if not 0 <= seed <= MAX_SEED:
            raise UsageError(f"seed {seed}: 0 to {MAX_SEED}")


def _check_lists(config: Config) -> None:
    for name in ("attacks", "eps", "seeds"):
        if not getattr(config, name):
            raise UsageError(f"{name}: at least one")
    for name in ("attacks", "eps", "seeds", "access", "sources"):
        given = getattr(config, name)
        if len(set(given)) != len(given):
            raise UsageError(f"{name}: {', '.join(map(str, given))} names one twice")
    for name in config.access:
        if name not in ACCESS:
            raise UsageError(f"access {name!r}: give one or more of {', '.join(ACCESS)}")
    if config.access and config.sources:
        raise UsageError("access and sources both say what attacks are made on: give one of them")


def _check_choices(config: Config) -> None:
    declared = settings(config)
    for one in dataclasses.fields(config):
        known, value = declared[one.name].choices, getattr(config, one.name)
        if known and value not in known and value != one.default:
            raise UsageError(f"{one.name} {value!r}: give {' or '.join(known)}")
    if config.encoding and config.protocol != MLPERF_TINY:
        raise UsageError(f"encoding goes with protocol {MLPERF_TINY}")


def _check_model(config: Config) -> None:
    if config.is_file:
        if config.data is None:
            raise UsageError(
                f"model {config.model}: a model of your own needs --data D.npz or a data set"
            )
    elif config.float_model is not None or config.data is not None or config.activations:
        raise UsageError(
            f"model {config.model}: --float, --data and --activations go with a model file of "
            "your own"
        )

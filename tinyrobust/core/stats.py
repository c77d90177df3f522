"""The three statistics of the report, for counts of right and wrong predictions.

Pure; no table, no model.
"""

from __future__ import annotations

import math

Z95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


def wilson(correct: int, n: int) -> tuple[float, float]:
    """95 % score interval of a proportion (Wilson 1927). (0, 1) for no samples.

    Raises ValueError on correct > n.
    """
    if not 0 <= correct <= n:
        raise ValueError(f"{correct} correct of {n}")
    if n == 0:
        return 0.0, 1.0
    share, z2 = correct / n, Z95 * Z95
    centre = share + z2 / (2 * n)
    half = Z95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    scale = 1 + z2 / n
    low = 0.0 if correct == 0 else (centre - half) / scale
    high = 1.0 if correct == n else (centre + half) / scale
    return low, high


def mcnemar(lost: int, gained: int) -> float:
    """Exact two-sided p-value of McNemar's test for two counts of discordant pairs.

    Are ``lost`` and ``gained`` one fair coin's tosses?

    In whole numbers, so exact for any count.
    """
    n, few = lost + gained, min(lost, gained)
    term = tail = 1
    for k in range(1, few + 1):
        term = term * (n - k + 1) // k
        tail += term
    return min(1.0, 2 * tail / (1 << n))


def paired_difference(lost: int, gained: int, n: int) -> tuple[float, float]:
    """95 % interval of the change of a proportion, (gained - lost) / n, on the same n samples.

    Wald with Laplace adjustment, Bonett and Price 2012; recommended for paired proportions by
    Fagerland et al. 2014. (-1, 1) for no samples.
    """
    if n == 0:
        return -1.0, 1.0
    up, down = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    half = Z95 * math.sqrt((up + down - (up - down) ** 2) / (n + 2))
    return max(-1.0, up - down - half), min(1.0, up - down + half)

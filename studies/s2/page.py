"""The page of S2: clean accuracy beside the paper's, the fitted curves, and where they cross."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tinyrobust.core.types import BoolArray
from tinyrobust.studies.pages import share
from tinyrobust.studies.s2.answers import ATTACKS, FGSM, LEVELS, STRONG, Answers
from tinyrobust.studies.s2.curve import Crossing, Estimate, crossing, fit

PUBLISHED = dict(
    enumerate((94.85, 96.41, 97.59, 97.76, 97.67, 97.81, 97.83, 97.61, 97.81, 97.73), 1)
)
"""Clean accuracy in % by bits, Gorsline, Smith and Merkel 2021."""
NEAR = {1: 1.0, 2: 1.0}
"""Points that ours may be away from it; 0.5 from 3 bits on."""
_EPS = np.array([level / 255 for level in LEVELS])


def page(found: list[Answers], board: str, command: str, picture: str) -> str:
    """The page, with the command that makes it."""
    widths = sorted({one.bits for one in found})
    seeds = sorted({one.seed for one in found})
    n = len(found[0].standing(FGSM, 0))
    return f"""# S2: how many bits, against how strong an attack

Made by `{command}`, which can be interrupted and called again.

Gorsline, Smith and Merkel 2021 (arXiv:2105.00227) train a 784-100-10 network on MNIST with weights
and biases in 1 to 10 bits and find that quantization helps or hurts *depending on the strength* of
a simple gradient attack: the curves cross. Here the same networks, trained as theirs (Adam, batches
of 32, stopped early by 6,000 images; each width starts from the next wider one), are flashed:
activations on 8-bit grids, weights of 9 and 10 bits rounded to 8. Attacks are made on the deployed
integer network; accuracies are tflite-micro's, and the firmware on `{board}` answers the same
bytes.

*fgsm* is the paper's kind of attack. *strong* is the worst case, sample by sample, over
{", ".join(f"`{one}`" for one in ATTACKS[STRONG])}. {len(seeds)} training seeds, the first {n:,}
test images each.

## Verdict

{_verdict(found, widths)}

![Accuracy against eps by bits]({picture})

## Clean accuracy

In % of all {len(found[0].trained):,} test images, over {len(seeds)} seeds, with the range of the
seeds.

| bits | published | as trained | as flashed | within |
|---|---|---|---|---|
{_lines(_clean(found, bits) for bits in widths)}

## Fitted curves

`floor + (clean - floor) / (1 + (eps / eps50) ** slope)`, all seeds pooled; eps50 in levels of 255.
Intervals are bootstrap percentiles over images, 95 %.

| bits | attack | eps50 | slope | floor, % | {" | ".join(f"{level}/255" for level in LEVELS)} |
|---|---|---|---|---|{"---|" * len(LEVELS)}
{_lines(_curve(found, bits, kind) for bits in widths for kind in ATTACKS)}

## Where a width changes places with {max(widths)} bits

Levels at which it surely keeps more, and surely fewer, of the same images (paired, 95 %).

| bits | attack | more | fewer | crosses |
|---|---|---|---|---|
{_lines(_places(found, bits, kind, max(widths)) for kind in ATTACKS for bits in widths[:-1])}
"""


def pooled(found: list[Answers], bits: int, kind: str) -> tuple[BoolArray, BoolArray]:
    """Of all seeds in a row: right when clean, bool [n], and standing, bool [n, levels]."""
    mine = sorted((one for one in found if one.bits == bits), key=lambda one: one.seed)
    clean = np.concatenate([one.standing(kind, 0) for one in mine])
    return clean, np.concatenate([one.matrix(kind) for one in mine])


def against(found: list[Answers], bits: int, kind: str, other: int) -> Crossing:
    """How ``bits`` stand against ``other`` under attacks of ``kind``."""
    return crossing(LEVELS, pooled(found, bits, kind)[1], pooled(found, other, kind)[1])


def _verdict(found: list[Answers], widths: list[int]) -> str:
    near = [bits for bits in widths if _away(found, bits) <= NEAR.get(bits, 0.5)]
    lines = [
        f"- Clean accuracy is within the bounds set for it (1.0 points at 1 and 2 bits, 0.5 above) "
        f"for {len(near)} of {len(widths)} widths."
    ]
    for kind in ATTACKS:
        crossed = [b for b in widths[:-1] if against(found, b, kind, widths[-1]).crosses]
        which = f": {', '.join(map(str, crossed))} bits" if crossed else ""
        lines.append(
            f"- Under *{kind}* the curves of {len(crossed)} of {len(widths) - 1} widths cross that "
            f"of {widths[-1]} bits{which}."
        )
    return "\n".join(lines)


def _away(found: list[Answers], bits: int) -> float:
    mine = [100 * one.trained.mean() for one in found if one.bits == bits]
    return abs(float(np.mean(mine)) - PUBLISHED[bits])


def _clean(found: list[Answers], bits: int) -> Iterable[str]:
    mine = [one for one in found if one.bits == bits]
    yield str(bits)
    yield f"{PUBLISHED[bits]:.2f}"
    for shares in ([one.trained.mean() for one in mine], [one.flashed.mean() for one in mine]):
        low, mean, high = (100 * float(f(shares)) for f in (np.min, np.mean, np.max))
        yield f"{mean:.2f} ({low:.2f} to {high:.2f})"
    yield "yes" if _away(found, bits) <= NEAR.get(bits, 0.5) else "no"


def _curve(found: list[Answers], bits: int, kind: str) -> Iterable[str]:
    clean, standing = pooled(found, bits, kind)
    curve = fit(_EPS, clean, standing)
    yield str(bits)
    yield kind
    yield _estimate(curve.eps50, 255)
    yield _estimate(curve.slope, 1)
    yield _estimate(curve.floor, 100)
    yield from (share(standing[:, at]) for at in range(len(LEVELS)))


def _places(found: list[Answers], bits: int, kind: str, other: int) -> Iterable[str]:
    places = against(found, bits, kind, other)
    yield str(bits)
    yield kind
    yield ", ".join(map(str, places.better)) or "-"
    yield ", ".join(map(str, places.worse)) or "-"
    yield "yes" if places.crosses else "no"


def _estimate(one: Estimate, unit: float) -> str:
    return f"{unit * one.value:.2f} [{unit * one.low:.2f}, {unit * one.high:.2f}]"


def _lines(rows: Iterable[Iterable[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)

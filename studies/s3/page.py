"""The page of S3: the claim taken apart into its steps, then every accuracy."""

from __future__ import annotations

from tinyrobust.core.stats import paired_difference
from tinyrobust.studies.pages import difference, lost_and_gained, share
from tinyrobust.studies.s3.answers import LEVELS, Answers, white_box
from tinyrobust.studies.s3.networks import PENALIZED, REFERENCE, STEPS, TERNARY

CLAIM = 8.3
"""Points of white-box robustness over MLCommons/Tiny on CIFAR-10, Ayaz et al. 2023."""


def page(found: dict[str, Answers], rung: str, command: str) -> str:
    """The page, with the command that makes it. ``rung`` is the device that the claim is about.

    Raises ValueError where two networks answered different samples.
    """
    n = len(found[REFERENCE].samples)
    for one in found.values():
        if one.samples != found[REFERENCE].samples:
            raise ValueError(f"{one.name} and {REFERENCE} answered different samples")
    return f"""# S3: deep quantization and the Jacobian

Made by `{command}`, which can be interrupted and called again.

Ayaz et al. 2023 (arXiv:2304.12829) claim +{CLAIM} points of white-box robustness for their deeply
quantized, Jacobian-regularized network over MLPerf Tiny's ResNet8 on CIFAR-10. Our networks are of
their family, not theirs: the same kind of architecture in plain int8 (`s3-ptq`), in stochastic
ternary weights (`s3-ternary`) and with the penalty on every layer's Jacobian (`s3-ternary-jr`),
beside the published int8 ResNet8. So the claim falls into steps that can be told apart.

**Robust accuracy**: the share of {n:,} test images, on which no network was calibrated, that no
attack turned. The attacks are Auto-PGD on cross-entropy and Auto-PGD towards nine targets, 100
steps each. Those of `float32` are made on it; an integer rung faces what was made on its float
network and what was made on its own twin, the int8 network with straight-through gradients. One
training seed.

## Verdict

{_verdict(found, rung)}

## The claim in steps, in points on `{rung}`

Robust accuracy after a step minus before it; the same images, with the paired 95 % interval.

{_steps(found, rung)}

## Robust accuracies

In %, with 95 % Wilson intervals; 0 is the accuracy without a perturbation.

{_accuracies(found)}
"""


def _verdict(found: dict[str, Answers], rung: str) -> str:
    sentences = []
    for level in LEVELS:
        points, low, high = _points(found, REFERENCE, PENALIZED, rung, level)
        word = "holds" if low >= CLAIM else "fails" if high < CLAIM else "is undecided"
        sentences.append(
            f"- At {level}/255 the difference is {points:+.1f} [{low:+.1f}, {high:+.1f}]: "
            f"at least +{CLAIM} {word}."
        )
    for level in LEVELS:
        points, low, high = _points(found, TERNARY, PENALIZED, rung, level)
        word = "adds to it" if low > 0 else "takes from it" if high < 0 else "adds nothing sure"
        sentences.append(
            f"- The penalty {word} at {level}/255: {points:+.1f} [{low:+.1f}, {high:+.1f}]."
        )
    points, low, high = _points(found, REFERENCE, PENALIZED, rung, 0)
    sentences.append(f"- Clean accuracy moves by {points:+.1f} [{low:+.1f}, {high:+.1f}].")
    return "\n".join(sentences)


def _points(
    found: dict[str, Answers], before: str, after: str, rung: str, level: int
) -> tuple[float, float, float]:
    lost, gained, n = _pairs(found, before, after, rung, level)
    low, high = paired_difference(lost, gained, n)
    return 100 * (gained - lost) / n, 100 * low, 100 * high


def _pairs(
    found: dict[str, Answers], before: str, after: str, rung: str, level: int
) -> tuple[int, int, int]:
    first, second = (found[name].standing(rung, level, white_box(rung)) for name in (before, after))
    return *lost_and_gained(first, second), len(first)


def _steps(found: dict[str, Answers], rung: str) -> str:
    lines = ["| step | from | to | " + " | ".join(f"{level}/255" for level in (0, *LEVELS)) + " |"]
    lines.append("|---" * (4 + len(LEVELS)) + "|")
    for step in STEPS:
        cells = " | ".join(
            difference(*_pairs(found, step.before, step.after, rung, level))
            for level in (0, *LEVELS)
        )
        lines.append(f"| {step.name} | {step.before} | {step.after} | {cells} |")
    return "\n".join(lines)


def _accuracies(found: dict[str, Answers]) -> str:
    lines = ["| network | rung | " + " | ".join(f"{level}/255" for level in (0, *LEVELS)) + " |"]
    lines.append("|---" * (3 + len(LEVELS)) + "|")
    for one in found.values():
        for rung in one.rungs():
            cells = " | ".join(
                share(one.standing(rung, level, white_box(rung))) for level in (0, *LEVELS)
            )
            lines.append(f"| {one.name} | `{rung}` | {cells} |")
    return "\n".join(lines)

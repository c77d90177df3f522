"""What made each file of ``models/weights``.

That is network, data, schedule, seed and the weights it started from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from tinyrobust.core.errors import UsageError, nearest
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.data import cifar10, digits, mnist
from tinyrobust.models.data.splits import Splits
from tinyrobust.models.keras.quantizers import TERNARY, W4, W8, Bits
from tinyrobust.models.networks import cnn_a, digits_deep, resnet8, s3_cnn
from tinyrobust.models.networks.s3_cnn import CLASSES, STAGES
from tinyrobust.models.training.adversarial.plan import AdversarialPlan, LinfAttack
from tinyrobust.models.training.certified.plan import Certified
from tinyrobust.models.training.jacobian import LayerWeight, Penalty
from tinyrobust.models.training.trainer import TrainingPlan


@dataclass(frozen=True)
class Task:
    """A data set, the input grid its samples lie on, and the names of its classes."""

    splits: Callable[[], Splits]
    spec: TensorSpec
    class_names: tuple[str, ...]


DIGITS = Task(digits.digits, digits.SPEC, digits.CLASS_NAMES)
CIFAR10 = Task(cifar10.cifar10, cifar10.SPEC, cifar10.CLASS_NAMES)
MNIST = Task(lambda: mnist.splits(mnist.MNIST), mnist.SPEC, mnist.CLASS_NAMES)


@dataclass(frozen=True)
class Recipe:
    """How one network is trained: ``build`` by ``plan``.

    It starts from the weights of the float recipe ``start`` where there is one.

    A network without batch norms gets them folded. ``certified_levels``: at which size of boxes,
    in input levels, the card says what share is certified.
    """

    task: Task
    build: Callable[[], Any]
    plan: TrainingPlan
    start: str | None = None
    certified_levels: int | None = None

    @property
    def quantized(self) -> bool:
        """Whether the network has grids of its own, unlike the float one it started from."""
        return self.start is not None and recipe(self.start).build != self.build


def per_layer(strength: float, share: float = 0.5) -> Penalty:
    """S3's penalty: every layer's own Jacobian, at the same weight per input value.

    It is taken from the layer's input to its activation.

    A layer's squared norm grows with its number of outputs, so each is divided by ``outputs /
    classes``.
    """
    names = ("image", *(f"relu{i}" for i in range(1, len(STAGES) + 1)))
    side, weights = 32, []
    for (source, target), (filters, strides) in zip(pairwise(names), STAGES, strict=True):
        side //= strides
        weights.append(LayerWeight(source, target, strength * CLASSES / (side * side * filters)))
    return Penalty(layers=(*weights, LayerWeight("flatten", "logits", strength)), share=share)


_DIGITS_JR = Penalty(strength=0.01, share=1.0)
_DIGITS_FLOAT = TrainingPlan(epochs=60, batch=32, rate=3e-3, decay=1e-3, seed=1)
_DIGITS_QAT = TrainingPlan(epochs=40, batch=32, rate=2e-3, seed=1)
_CIFAR_JR = Penalty(strength=0.001)
_CIFAR_FLOAT = TrainingPlan(
    epochs=70, batch=128, rate=4e-3, restarts=(30,), decay=2e-2, augment=True
)
_CIFAR_QAT = TrainingPlan(epochs=6, batch=128, rate=1e-3, augment=True)
_S3_FLOAT = replace(_CIFAR_FLOAT, epochs=16, restarts=())
_S3_QAT = replace(_CIFAR_QAT, epochs=10, rate=2e-3)


_DIGITS_CERTIFIED = TrainingPlan(
    epochs=60,
    batch=32,
    rate=3e-3,
    seed=1,
    certified=Certified(6.0, warm_up=2, ramp=30, clean=0.4, regularizer=0.5),
)
_DIGITS_CERTIFIED_QAT = TrainingPlan(
    epochs=20, batch=32, rate=1e-3, seed=1, certified=Certified(5.0, clean=0.4)
)
_MNIST_CERTIFIED_01 = TrainingPlan(
    epochs=8,
    batch=128,
    rate=2e-3,
    seed=1,
    certified=Certified(27.0, warm_up=1, ramp=4, clean=0.0, regularizer=0.5),
)
_MNIST_CERTIFIED_03 = TrainingPlan(
    epochs=14, batch=128, rate=1e-3, seed=1, certified=Certified(80.0, ramp=7, clean=0.0)
)
_MNIST_CERTIFIED_01_QAT = TrainingPlan(
    epochs=6, batch=128, rate=5e-4, seed=1, certified=Certified(26.0, clean=0.0)
)
_MNIST_CERTIFIED_03_QAT = TrainingPlan(
    epochs=5, batch=128, rate=3e-4, seed=1, certified=Certified(78.0, clean=0.0)
)
_CIFAR_CERTIFIED = TrainingPlan(
    epochs=12,
    batch=128,
    rate=1.5e-3,
    seed=1,
    certified=Certified(2.2, warm_up=1, ramp=5, clean=0.0, regularizer=0.5, part=0.6),
)


def _quantized(build: Callable[[Bits], Any], bits: Bits) -> Callable[[], Any]:
    return lambda: build(bits)


def _adversarial() -> dict[str, Recipe]:
    """``-at2`` and ``-at8``: ResNet8 trained on examples of 2 and 8 levels, ``-jr`` with its
    Jacobian penalty on top.
    """
    plan = AdversarialPlan(
        epochs=14, batch=128, rate=4e-3, decay=1e-4, augment=True, seed=1, attack=LinfAttack(2)
    )
    tuned = replace(plan, epochs=2, rate=1e-3)
    rows = {}
    for levels, start in ((2, "resnet8-float"), (8, "resnet8-float-at2")):
        float_name, attack = f"resnet8-float-at{levels}", LinfAttack(levels)
        rows[float_name] = Recipe(CIFAR10, resnet8.build_float, replace(plan, attack=attack), start)
        penalized = replace(tuned, attack=attack, penalty=_CIFAR_JR)
        rows[f"{float_name}-jr"] = Recipe(CIFAR10, resnet8.build_float, penalized, float_name)
        for suffix, bits in (("8bit", resnet8.EIGHT), ("4bit", W4)):
            build = _quantized(resnet8.build_qat, bits)
            name = f"resnet8-{suffix}-at{levels}"
            rows[name] = Recipe(CIFAR10, build, replace(tuned, attack=attack), float_name)
            rows[f"{name}-jr"] = Recipe(CIFAR10, build, penalized, f"{float_name}-jr")
    return rows


def _table() -> dict[str, Recipe]:
    rows = {
        "digits-float": Recipe(DIGITS, digits_deep.build_float, _DIGITS_FLOAT),
        "resnet8-float": Recipe(CIFAR10, resnet8.build_float, _CIFAR_FLOAT),
        "s3-float": Recipe(CIFAR10, s3_cnn.build_float, _S3_FLOAT),
    }
    for suffix, bits in (("8bit", W8), ("4bit", W4), ("ternary", TERNARY)):
        rows[f"digits-{suffix}"] = Recipe(
            DIGITS, _quantized(digits_deep.build_qat, bits), _DIGITS_QAT, start="digits-float"
        )
    for suffix, bits in (("8bit", resnet8.EIGHT), ("4bit", W4)):
        rows[f"resnet8-{suffix}"] = Recipe(
            CIFAR10, _quantized(resnet8.build_qat, bits), _CIFAR_QAT, "resnet8-float"
        )
    rows["s3-ternary"] = Recipe(CIFAR10, _quantized(s3_cnn.build_qat, TERNARY), _S3_QAT, "s3-float")
    rows |= _adversarial()

    for name in [n for n in rows if n.startswith("digits-")]:
        row = rows[name]
        start = row.start and f"{row.start}-jr"
        rows[f"{name}-jr"] = replace(row, plan=replace(row.plan, penalty=_DIGITS_JR), start=start)
    ternary = rows["s3-ternary"]
    rows["s3-ternary-jr"] = replace(ternary, plan=replace(ternary.plan, penalty=per_layer(0.003)))
    tuned = replace(_CIFAR_QAT, decay=_CIFAR_FLOAT.decay, penalty=_CIFAR_JR)
    rows["resnet8-float-jr"] = Recipe(CIFAR10, resnet8.build_float, tuned, "resnet8-float")
    four = rows["resnet8-4bit"]
    rows["resnet8-4bit-jr"] = replace(four, plan=replace(four.plan, penalty=_CIFAR_JR))
    return rows | _certified()


def _certified() -> dict[str, Recipe]:
    mnist_a = cnn_a.MNIST
    return {
        "digits-certified-float": Recipe(
            DIGITS, digits_deep.build_float, _DIGITS_CERTIFIED, certified_levels=4
        ),
        "digits-certified": Recipe(
            DIGITS,
            _quantized(digits_deep.build_qat, cnn_a.EIGHT),
            _DIGITS_CERTIFIED_QAT,
            "digits-certified-float",
            certified_levels=4,
        ),
        "mnist-cnna-certified-01-float": Recipe(
            MNIST, mnist_a.build_float, _MNIST_CERTIFIED_01, certified_levels=25
        ),
        "mnist-cnna-certified-01": Recipe(
            MNIST,
            _quantized(mnist_a.build_qat, cnn_a.EIGHT),
            _MNIST_CERTIFIED_01_QAT,
            "mnist-cnna-certified-01-float",
            certified_levels=25,
        ),
        "mnist-cnna-certified-03-float": Recipe(
            MNIST,
            mnist_a.build_float,
            _MNIST_CERTIFIED_03,
            "mnist-cnna-certified-01-float",
            certified_levels=76,
        ),
        "mnist-cnna-certified-03": Recipe(
            MNIST,
            _quantized(mnist_a.build_qat, cnn_a.EIGHT),
            _MNIST_CERTIFIED_03_QAT,
            "mnist-cnna-certified-03-float",
            certified_levels=76,
        ),
        "cifar10-cnna-certified-float": Recipe(
            CIFAR10, cnn_a.CIFAR10.build_float, _CIFAR_CERTIFIED, certified_levels=2
        ),
    }


RECIPES = _table()


def recipe(name: str) -> Recipe:
    """The recipe called ``name``. Raises UsageError that lists what there is."""
    if name not in RECIPES:
        raise UsageError(f"no recipe {name!r}: {nearest(name, RECIPES)}")
    return RECIPES[name]

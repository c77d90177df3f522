"""PGD and Auto-PGD beside Foolbox's and ART's own, in one run.

Network, images, budget and number of gradients are the same.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from tinyrobust.attacks.base.problem import Norm, Problem
from tinyrobust.attacks.gradients.losses import cross_entropy
from tinyrobust.attacks.white_box.apgd import apgd
from tinyrobust.attacks.white_box.sign_steps import pgd
from tinyrobust.core.progress import Say
from tinyrobust.core.types import Differentiable, FloatArray
from tinyrobust.host.perf.table import Table
from tinyrobust.models.data.cifar10 import SPEC, official_test
from tinyrobust.models.export.lower import lower
from tinyrobust.models.keras.batchnorm import copy_folded
from tinyrobust.models.keras.quantizers import W4
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.networks.resnet8 import build_float, build_qat
from tinyrobust.models.rungs.predictors import KerasPredictor
from tinyrobust.models.rungs.twin.predictor import TwinPredictor
from tinyrobust.models.training.weight_files import load

SAMPLES = 64
STEPS = 40
REPEATS = 3
LEVELS = 1
"""The budget: small enough that no attack succeeds on all samples."""
SIZE = 2.5 / STEPS
HEADS = ("ResNet8 as", "attack", "by", "s", "images/s", "ms a gradient", "fooled", "times ours")

Run = Callable[[], FloatArray]


def attack_table(say: Say) -> Table:
    """Each network with each attack by each library, one after the other."""
    rows = []
    for title, source, model in _networks():
        problem = _problem(source)
        for attack, runs in (
            ("PGD-40", _pgd_runs(problem, model)),
            ("Auto-PGD, 40 steps", _apgd_runs(problem, model)),
        ):
            ours = 0.0
            for library, run in runs:
                say(f"{attack} on ResNet8 {title} by {library}")
                seconds, rate = _measured(problem, run)
                ours = ours or seconds
                images, step = SAMPLES / seconds, 1e3 * seconds / (SAMPLES * STEPS)
                cells = (
                    f"{seconds:.2f}",
                    f"{images:.1f}",
                    f"{step:.2f}",
                    f"{rate:.1%}",
                    f"{seconds / ours:.2f}",
                )
                rows.append((title, attack, library, *cells))
    missing = "" if _has_art() else " ART is not installed (`pip install tinyrobust[art]`)."
    return Table(
        "Attacks beside other libraries",
        f"{SAMPLES} CIFAR-10 test images in one batch, Linf budget {LEVELS}/255, {STEPS} "
        f"gradients each. Seconds are the best of {REPEATS} calls after the one that traces. "
        "*fooled* counts real-valued results, labels being the network's own answers. The 4-bit "
        "network is the float one folded and quantized, not trained further." + missing,
        HEADS,
        tuple(rows),
    )


def _networks() -> Iterator[tuple[str, Differentiable, Any]]:
    """Title, rung, and the model as other libraries call it: Keras's own, eagerly."""
    full, qat = build_float(), build_qat(W4)
    load("resnet8-float", full)
    copy_folded(full, qat)
    twin = TwinPredictor(lower(qat, SPEC))
    yield "float32", KerasPredictor(full, "float32", SPEC), full
    yield "QKeras 4 bit", KerasPredictor(qat, "qat", SPEC), qat
    yield "twin", twin, lambda real, training=False: twin.logits(real)


def _problem(source: Differentiable) -> Problem:
    q = official_test().q[:SAMPLES]
    labels = np.asarray(source.predict(q).logits.argmax(axis=1), np.int64)
    eps = LEVELS / 255 * (SPEC.high - SPEC.low)
    return Problem(q, labels, SPEC, Norm.LINF, eps, LEVELS, 0, source)


def _measured(problem: Problem, run: Run) -> tuple[float, float]:
    """Seconds, the best of ``REPEATS``, and the share of samples fooled.

    A first call, which traces, does not count.
    """
    real, seconds = run(), math.inf
    for _ in range(REPEATS):
        started = time.perf_counter()
        real = run()
        seconds = min(seconds, time.perf_counter() - started)
    logits = np.asarray(problem.differentiable().logits(tf.constant(real)))
    return seconds, float(np.mean(logits.argmax(axis=1) != problem.labels))


def _pgd_runs(problem: Problem, model: Any) -> Iterator[tuple[str, Run]]:
    yield "tinyrobust", partial(pgd, problem, steps=STEPS, size=SIZE)
    yield "Foolbox", _foolbox_pgd(problem, model)
    if _has_art():
        yield (
            "ART",
            _art(
                problem,
                model,
                "ProjectedGradientDescent",
                eps_step=SIZE * problem.eps,
                num_random_init=1,
            ),
        )


def _apgd_runs(problem: Problem, model: Any) -> Iterator[tuple[str, Run]]:
    yield "tinyrobust", partial(apgd, problem, cross_entropy, steps=STEPS)
    if _has_art():
        yield (
            "ART",
            _art(
                problem,
                model,
                "AutoProjectedGradientDescent",
                eps_step=2 * problem.eps,
                nb_random_init=1,
                loss_type="cross_entropy",
            ),
        )


def _foolbox_pgd(problem: Problem, model: Any) -> Run:
    import foolbox

    low, high = SPEC.dequantize(np.array([-128, 127], np.int8)).tolist()
    wrapped = foolbox.TensorFlowModel(model, bounds=(low, high), device="/CPU:0")
    attack = foolbox.attacks.LinfProjectedGradientDescentAttack(
        rel_stepsize=SIZE, steps=STEPS, random_start=True
    )
    leave = foolbox.criteria.Misclassification(tf.constant(problem.labels))
    real = tf.constant(problem.real)
    return lambda: np.asarray(attack.run(wrapped, real, leave, epsilon=problem.eps))


def _has_art() -> bool:
    return find_spec("art") is not None


def _art(problem: Problem, model: Any, name: str, **how: Any) -> Run:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # frameworks that are not installed
        from art.attacks import evasion
        from art.estimators.classification import TensorFlowV2Classifier

        classifier = TensorFlowV2Classifier(
            model=model,
            nb_classes=10,
            input_shape=SPEC.shape,
            loss_object=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            clip_values=(SPEC.low, SPEC.high),
        )
        attack = getattr(evasion, name)(
            classifier,
            norm=np.inf,
            eps=problem.eps,
            max_iter=STEPS,
            batch_size=SAMPLES,
            verbose=False,
            **how,
        )
    return lambda: np.asarray(attack.generate(problem.real, problem.labels))

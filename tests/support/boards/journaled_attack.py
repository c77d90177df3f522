"""Attacks on the native board through a journal, to be ended and taken up again."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.support.networks.oracle import tflm
from tests.support.networks.plans import Loadable
from tests.support.tflite.small import samples, small_tflite
from tinyrobust.attacks.base.problem import Problem
from tinyrobust.attacks.batches import attack
from tinyrobust.attacks.black_box.square import square_linf
from tinyrobust.attacks.registry import ATTACKS
from tinyrobust.host.devices.device import Device
from tinyrobust.host.link.pipes import ChildPort
from tinyrobust.host.runs.asking.journal import Journaled
from tinyrobust.models.plan.compiler import compile_plan

SAMPLES, STEPS = 16, 60
SQUARE = replace(ATTACKS["square-linf"], function=partial(square_linf, iterations=STEPS, p=0.5))


def problem(source, q, labels, info=SQUARE):
    """What ``info`` is given: three levels where it has a budget."""
    scale = source.input.scale
    eps, levels = (float("inf"), 255) if info.minimises else (3 * scale, 3)
    return Problem(q, labels, source.input, info.norm, eps, levels, 0, source)


def attacked(native, journal, tick=lambda *_: None, info=SQUARE):
    """``info`` on the native board through a journal: (perturbed inputs int8, questions that
    reached it).
    """
    tflite = small_tflite()
    plan = compile_plan(tflite)
    q = samples(SAMPLES, 2)
    labels = tflm(tflite, q).reshape(SAMPLES, -1).argmax(axis=1)
    with Device(ChildPort([str(native)]), rung="native") as device:
        device.load(Loadable(plan.data, plan.plan_id), plan.input)
        with Journaled(device, Path(journal), plan.plan_id, tick) as journaled:
            made = attack(info, problem(journaled, q, labels, info))
            assert not made.failure
            return made.q, journaled.answered

"""A Square attack on the native board through a journal, to be ended and taken up again."""

from pathlib import Path

from tests.support.networks.oracle import tflm
from tests.support.networks.plans import Loadable
from tests.support.tflite.small import samples, small_tflite
from tinyrobust.attacks.base.problem import Norm, Problem
from tinyrobust.attacks.black_box.square import square_linf
from tinyrobust.host.devices.device import Device
from tinyrobust.host.link.pipes import ChildPort
from tinyrobust.host.runs.journal import Journaled
from tinyrobust.models.plan.compiler import compile_plan

SAMPLES, STEPS = 16, 60


def attacked(native, journal, tick=lambda *_: None):
    """Square on the native board through a journal: (perturbed inputs in real units, questions that
    reached it).
    """
    tflite = small_tflite()
    plan = compile_plan(tflite)
    q = samples(SAMPLES, 2)
    labels = tflm(tflite, q).reshape(SAMPLES, -1).argmax(axis=1)
    with Device(ChildPort([str(native)]), rung="native") as device:
        device.load(Loadable(plan.data, plan.plan_id), plan.input)
        with Journaled(device, Path(journal), plan.plan_id, tick) as journaled:
            problem = Problem(
                q, labels, plan.input, Norm.LINF, 3 * plan.input.scale, 3, 0, journaled
            )
            return square_linf(problem, STEPS, 0.5), journaled.answered

"""An attack on the board itself, killed in the middle: the next try asks only what was never
answered.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.firmware.engine.test_operators import Bundle
from tests.support.networks.oracle import tflm
from tests.support.paths import ROOT
from tests.support.tflite.small import SHAPE, small_tflite
from tinyrobust.attacks.base.problem import Norm, Problem
from tinyrobust.attacks.black_box.square import square_linf
from tinyrobust.host.devices.device import Device
from tinyrobust.host.link.ports import ChildPort
from tinyrobust.host.runs.journal import Journaled
from tinyrobust.models.plan.compiler import compile_plan

SAMPLES, STEPS = 16, 60

CHILD = """
import os, signal, sys
from tests.firmware.app.test_board_access import attacked

def tick(asked, replayed, rate):
    if asked >= int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

attacked(sys.argv[1], sys.argv[2], tick)
"""


def attacked(native, journal, tick=lambda *_: None):
    """Square on the native board through a journal: (perturbed inputs in real units, questions that
    reached it).
    """
    tflite = small_tflite()
    plan = compile_plan(tflite)
    q = np.random.default_rng(2).integers(-128, 128, (SAMPLES, *SHAPE), np.int8)
    labels = tflm(tflite, q).reshape(SAMPLES, -1).argmax(axis=1)
    with Device(ChildPort([str(native)]), rung="native") as device:
        device.load(Bundle(plan.data, plan.plan_id), plan.input)
        with Journaled(device, Path(journal), plan.plan_id, tick) as journaled:
            problem = Problem(
                q, labels, plan.input, Norm.LINF, 3 * plan.input.scale, 3, 0, journaled
            )
            return square_linf(problem, STEPS, 0.5), journaled.answered


def test_killed_and_resumed_it_asks_nothing_twice(native, tmp_path):
    pytest.importorskip("tflite_micro", reason="there is no tflite-micro wheel for this platform")
    whole, questions = attacked(native, tmp_path / "whole")
    kept = 0
    for limit in (200, 500):
        ended = subprocess.run(
            [sys.executable, "-c", CHILD, str(native), str(tmp_path / "killed"), str(limit)],
            cwd=ROOT,
            check=False,
        )
        assert ended.returncode == -9
        kept = (tmp_path / "killed").stat().st_size
    head, record = (tmp_path / "whole").stat().st_size, 16 + 1 + 10 * 5 + 4
    resumed, rest = attacked(native, tmp_path / "killed")
    assert np.array_equal(resumed, whole)
    answered = (kept - (head - questions * record)) // record
    assert 400 < answered < questions
    assert rest == questions - answered

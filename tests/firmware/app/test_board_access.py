"""An attack on the board itself, killed in the middle: the next try asks only what was never
answered.
"""

import subprocess
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from tests.support.boards.journaled_attack import SAMPLES, SQUARE, attacked, problem
from tests.support.networks.oracle import tflm
from tests.support.paths import ROOT
from tests.support.tflite.small import samples, small_tflite
from tinyrobust.attacks.batches import attack
from tinyrobust.attacks.black_box.boundary import boundary
from tinyrobust.attacks.black_box.hopskipjump import hopskipjump
from tinyrobust.attacks.registry import ATTACKS
from tinyrobust.core.types import Prediction
from tinyrobust.models.plan.compiler import compile_plan

CHILD = """
import os, signal, sys
from tests.support.boards.journaled_attack import attacked

def tick(asked, replayed, rate):
    if asked >= int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

attacked(sys.argv[1], sys.argv[2], tick)
"""


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


class Oracle:
    """tflite-micro, which answers one question before it hears the next."""

    rung = "tflm"

    def __init__(self):
        self.tflite = small_tflite()
        self.input = compile_plan(self.tflite).input

    def predict(self, q):
        raw = tflm(self.tflite, q)
        return Prediction(raw.astype(np.float32), raw)


ASKING = {
    "square": SQUARE,
    "foolbox boundary": replace(
        ATTACKS["boundary-s1"], function=partial(boundary, steps=30), name="boundary-s1"
    ),
    "hopskipjump": replace(ATTACKS["hopskipjump"], function=partial(hopskipjump, iterations=1)),
}


@pytest.mark.parametrize("info", ASKING.values(), ids=ASKING)
def test_in_turns_on_the_board_it_finds_what_it_finds_alone(native, tmp_path, info):
    q, oracle = samples(SAMPLES, 2), Oracle()
    alone = attack(info, problem(oracle, q, oracle.predict(q).logits.argmax(axis=1), info))
    assert not alone.failure
    made, _ = attacked(native, tmp_path / "j", info=info)
    assert np.array_equal(made, alone.q)
    assert np.any(made != q)

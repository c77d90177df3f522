"""An attack on the board itself, killed in the middle: the next try asks only what was never
answered.
"""

import subprocess
import sys

import numpy as np
import pytest

from tests.support.boards.journaled_attack import attacked
from tests.support.paths import ROOT

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

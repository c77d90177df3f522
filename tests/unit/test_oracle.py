import os
import signal

import numpy as np
import pytest

from host.types import TensorSpec, UsageError
from models import oracle
from models.oracle import Oracle
from models.reference import TflmPredictor
from tests.oracle import tflm
from tests.tflite_factory import Affine, Factory

pytestmark = pytest.mark.skipif(oracle.unavailable() is not None, reason=str(oracle.unavailable()))
SPEC = TensorSpec((4,), 0.5, 0)


def model(op="ADD"):
    f = Factory()
    x = f.input((1, 4), Affine(0.5))
    y = f.add(x, x, Affine(1.0))
    if op != "ADD":
        f.codes[0].builtinCode = f.codes[0].deprecatedBuiltinCode = 64  # an operator without a kernel here
    return f.build(x, y)


def test_batches_give_what_single_runs_give():
    q = np.random.default_rng(0).integers(-128, 128, (2 * oracle.BATCH + 3, 4), np.int8)
    predictor = TflmPredictor(model())
    prediction = predictor.predict(q)
    predictor.close()
    np.testing.assert_array_equal(prediction.raw, tflm(model(), q))
    np.testing.assert_array_equal(prediction.logits, prediction.raw * np.float32(1.0))
    assert 0 < predictor.arena_bytes < 1 << 16


def test_no_samples_are_no_work():
    with Oracle(model(), SPEC, SPEC, "m") as o:
        assert o.run(np.empty((0, 4), np.int8)).shape == (0, 4)


@pytest.mark.parametrize("q", [np.zeros((2, 3), np.int8), np.zeros((2, 4), np.uint8)])
def test_a_wrong_input_is_refused_before_the_child_sees_it(q):
    with Oracle(model(), SPEC, SPEC, "m.tflite") as o, pytest.raises(UsageError, match=r"m\.tflite takes int8 \(4,\)"):
        o.run(q)


def test_a_refused_model_is_named_with_the_reason():
    with pytest.raises(UsageError, match=r"refuses m\.tflite: .+"):
        Oracle(model("none"), SPEC, SPEC, "m.tflite")


def test_a_crash_is_an_answer():
    with Oracle(model(), SPEC, SPEC, "m.tflite") as o:
        os.kill(o._child.pid, signal.SIGSEGV)
        with pytest.raises(UsageError, match=r"crashed with SIGSEGV on m\.tflite"):
            o.run(np.zeros((1, 4), np.int8))


def test_a_hang_ends(monkeypatch):
    with Oracle(model(), SPEC, SPEC, "m.tflite") as o:
        monkeypatch.setattr(oracle, "SECONDS_PER_SAMPLE", 0.01)
        os.kill(o._child.pid, signal.SIGSTOP)
        with pytest.raises(UsageError, match=r"no answer on m\.tflite within"):
            o.run(np.zeros((1, 4), np.int8))
        assert o._child.returncode == -signal.SIGKILL

import os
import signal

import numpy as np
import pytest

from tests.support.networks.oracle import tflm
from tests.support.tflite.factory import Affine, Factory
from tinyrobust.core.abi.plan import MAX_SOFTMAX_ROW
from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.rungs import oracle
from tinyrobust.models.rungs.oracle import Oracle
from tinyrobust.models.rungs.predictors import TflmPredictor

pytestmark = pytest.mark.skipif(oracle.unavailable() is not None, reason=str(oracle.unavailable()))
SPEC = TensorSpec((4,), 0.5, 0)


def model(op="ADD"):
    f = Factory()
    x = f.input((1, 4), Affine(0.5))
    y = f.add(x, x, Affine(1.0))
    if op != "ADD":
        f.codes[0].builtinCode = f.codes[0].deprecatedBuiltinCode = (
            64  # an operator without a kernel here
        )
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
    with (
        Oracle(model(), SPEC, SPEC, "m.tflite") as o,
        pytest.raises(UsageError, match=r"m\.tflite takes int8 \(4,\)"),
    ):
        o.run(q)


def test_a_refused_model_is_named_with_the_reason():
    with pytest.raises(UsageError, match=r"refuses m\.tflite: .+"):
        Oracle(model("none"), SPEC, SPEC, "m.tflite")


def test_a_crash_is_an_answer_that_blames_nobody():
    with Oracle(model(), SPEC, SPEC, "m.tflite") as o:
        o._log.write(b"bad \x1b[2J luck\nbroken stick\n")
        o._log.flush()
        os.kill(o._child.pid, signal.SIGSEGV)
        with pytest.raises(UsageError) as refused:
            o.run(np.zeros((1, 4), np.int8))
    assert str(refused.value) == (
        "tflite-micro ended by SIGSEGV while it ran m.tflite: its last words were "
        "'bad ?[2J luck; broken stick'; "
        "whether the file is damaged is not known"
    )


@pytest.mark.parametrize("length", [511, 512])
def test_the_interpreter_ends_itself_on_equal_values_in_a_softmax_of_512(length):
    """Which is why the plan's compiler takes 511 (``MAX_SOFTMAX_ROW``): there is no truth to
    compare with beyond.
    """
    f = Factory()
    x = f.input((1, length), Affine(0.1))
    tflite = f.build(x, f.softmax(x))
    source, sink = TensorSpec((length,), 0.1, 0), TensorSpec((length,), 1 / 256, -128)
    q = np.zeros((1, length), np.int8)
    if length <= MAX_SOFTMAX_ROW:
        with Oracle(tflite, source, sink, "m.tflite") as o:
            assert (o.run(q) == -127).all(), "1/256 each, the least above none"
    else:
        with pytest.raises(
            UsageError, match=r"ended by SIGABRT while it ran m\.tflite: it said nothing; whether"
        ):
            Oracle(tflite, source, sink, "m.tflite")


def test_a_hang_ends(monkeypatch):
    with Oracle(model(), SPEC, SPEC, "m.tflite") as o:
        monkeypatch.setattr(oracle, "SECONDS_PER_SAMPLE", 0.01)
        os.kill(o._child.pid, signal.SIGSTOP)
        with pytest.raises(UsageError, match=r"no answer on m\.tflite within"):
            o.run(np.zeros((1, 4), np.int8))
        assert o._child.returncode == -signal.SIGKILL

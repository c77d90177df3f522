"""Random single operators through plan compiler, wire and CMSIS-NN: every byte as TensorFlow Lite Micro's."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host.device import Device
from host.ports import ChildPort
from models.plan import compile_plan
from tests.tflite_cases import OPERATORS

runtime = pytest.importorskip("tflite_micro", reason="no tflite-micro wheel for this machine").runtime

SAMPLES = 4


@dataclass(frozen=True)
class Bundle:
    plan: bytes
    plan_id: str


@pytest.fixture(scope="module")
def device(asan):
    with Device(ChildPort([str(asan)]), rung="native") as opened:
        yield opened


def oracle(tflite, samples):
    interpreter = runtime.Interpreter.from_bytes(tflite, arena_size=1 << 20)
    rows = []
    for sample in samples:
        interpreter.set_input(sample[None], 0)
        interpreter.invoke()
        rows.append(interpreter.get_output(0).reshape(-1).copy())
    return np.stack(rows)


@pytest.mark.parametrize("operator", OPERATORS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_operator_is_bit_exact(device, operator, data):
    case = data.draw(OPERATORS[operator])
    plan = compile_plan(case.tflite)
    device.load(Bundle(plan.data, plan.plan_id), plan.input)
    samples = case.samples(SAMPLES)
    np.testing.assert_array_equal(device.predict(samples).raw, oracle(case.tflite, samples), err_msg=str(case))

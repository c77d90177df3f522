"""Random single operators through plan compiler, wire and CMSIS-NN: every byte as TensorFlow Lite
Micro's.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.networks.oracle import tflm
from tests.support.networks.plans import Loadable
from tests.support.tflite.cases import OPERATORS
from tests.support.tflite.factory import Affine, Factory
from tinyrobust.core.grid import to_model_input
from tinyrobust.core.types import TensorSpec
from tinyrobust.host.devices.device import Device
from tinyrobust.host.link.pipes import ChildPort
from tinyrobust.models.plan.compiler import compile_plan

SAMPLES = 4


@pytest.fixture(scope="module")
def device(asan):
    with Device(ChildPort([str(asan)]), rung="native") as opened:
        yield opened


@pytest.mark.parametrize("operator", OPERATORS)
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_operator_is_bit_exact(device, operator, data):
    case = data.draw(OPERATORS[operator])
    plan = compile_plan(case.tflite)
    device.load(Loadable(plan.data, plan.plan_id), case.spec)
    samples = case.samples(SAMPLES)
    np.testing.assert_array_equal(
        device.predict(samples).raw, tflm(case.tflite, case.fed(samples)), err_msg=str(case)
    )


def test_a_softmax_sum_that_rounds_up_to_a_power_of_two_is_tflite_micros(device):
    """Eight equal largest values and one that brings the sum to 2**18 - 1
    (test_int16_operators.py): CMSIS-NN wraps.
    """
    f, step = Factory(wide=True), Affine(10 / 65535)
    x = f.input((1, 9), step)
    tflite = f.build(x, f.softmax(x))
    plan = compile_plan(tflite)
    spec = TensorSpec((9,), plan.input.scale * 223, 0)
    device.load(Loadable(plan.data, plan.plan_id), spec)
    q = np.array([[100] * 8 + [100 - 42_816 // 223]], np.int8)
    np.testing.assert_array_equal(
        device.predict(q).raw, tflm(tflite, to_model_input(q, spec, plan.input))
    )

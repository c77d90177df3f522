"""Random single operators through plan compiler, wire and CMSIS-NN: every byte as TensorFlow Lite Micro's."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host.device import Device
from host.ports import ChildPort
from models.plan import compile_plan
from tests.oracle import tflm
from tests.tflite_cases import OPERATORS

SAMPLES = 4


@dataclass(frozen=True)
class Bundle:
    plan: bytes
    plan_id: str


@pytest.fixture(scope="module")
def device(asan):
    with Device(ChildPort([str(asan)]), rung="native") as opened:
        yield opened


@pytest.mark.parametrize("operator", OPERATORS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_operator_is_bit_exact(device, operator, data):
    case = data.draw(OPERATORS[operator])
    plan = compile_plan(case.tflite)
    device.load(Bundle(plan.data, plan.plan_id), case.lattice)
    samples = case.samples(SAMPLES)
    np.testing.assert_array_equal(device.predict(samples).raw, tflm(case.tflite, case.fed(samples)), err_msg=str(case))

"""Random whole networks on the native firmware: the oracle's bytes at the end, the twin's after
every operator.
"""

import numpy as np
import pytest
from hypothesis import given, settings

from tests.support.networks.oracle import tflm
from tests.support.networks.plans import Loadable
from tests.support.tflite.cases import relaxed
from tests.support.tflite.networks import networks
from tinyrobust.host.devices.device import Device
from tinyrobust.host.link.pipes import ChildPort
from tinyrobust.models.plan.compiler import compile_plan
from tinyrobust.models.rungs.twin.predictor import TwinPredictor


@pytest.fixture(scope="module")
def device(native):
    with Device(ChildPort([str(native)]), rung="native") as opened:
        yield opened


def load(device, case):
    plan = compile_plan(case.tflite)
    device.load(Loadable(plan.data, plan.plan_id), case.spec)
    return plan


@settings(relaxed, max_examples=150)
@given(networks())
def test_network_is_bit_exact(device, case):
    load(device, case)
    q = case.samples(4)
    np.testing.assert_array_equal(
        device.predict(q).raw, tflm(case.tflite, case.fed(q)), err_msg=str(case)
    )


@settings(relaxed, max_examples=8)
@given(networks())
def test_every_layer_is_the_twins(device, case):
    plan = load(device, case)
    q = case.samples(3)
    theirs = TwinPredictor(case.tflite, case.spec).layers(q)
    assert len(theirs) == len(plan.ops)
    for op, expected in enumerate(theirs):
        np.testing.assert_array_equal(
            device.layer(op, q), expected, err_msg=f"operator {op} of {case}"
        )

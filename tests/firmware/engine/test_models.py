"""The four MLPerf Tiny models on the host build: every output byte as TensorFlow Lite Micro's."""

import os
from pathlib import Path

import numpy as np
import pytest

from tests.support.networks.oracle import tflm
from tests.support.networks.plans import Loadable
from tinyrobust.host.devices.device import Device
from tinyrobust.host.link.pipes import ChildPort
from tinyrobust.models.plan.compiler import compile_plan

DATA = os.environ.get("BENCH_DATA")
MODELS = ["pretrainedResnet_quant", "kws_ref_model", "vww_96_int8", "ad01_int8"]


@pytest.mark.skipif(DATA is None, reason="BENCH_DATA, the folder with mlperf_tiny/, is not set")
@pytest.mark.parametrize("name", MODELS)
def test_model_is_bit_exact(native, name):
    tflite = (Path(str(DATA)) / "mlperf_tiny" / f"{name}.tflite").read_bytes()
    plan = compile_plan(tflite)
    samples = np.random.default_rng(3).integers(-128, 128, (10, *plan.input.shape), np.int8)
    samples[-2], samples[-1] = -128, 127
    with Device(ChildPort([str(native)]), rung="native") as device:
        device.load(Loadable(plan.data, plan.plan_id), plan.input)
        np.testing.assert_array_equal(device.predict(samples).raw, tflm(tflite, samples))

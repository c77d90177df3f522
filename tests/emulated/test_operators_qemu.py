"""Random operators and networks on emulated cores with the DSP extension, whose kernels the host
build lacks.
"""

import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.networks.oracle import tflm
from tests.support.networks.plans import Loadable
from tests.support.tflite.cases import OPERATORS, relaxed
from tests.support.tflite.networks import networks
from tinyrobust.host.boards.table import get_board
from tinyrobust.host.devices.attach import attach
from tinyrobust.models.plan.compiler import compile_plan

pytestmark = pytest.mark.skipif(
    not (shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")),
    reason="qemu-system-arm or arm-none-eabi-gcc is missing",
)
CASES = {**OPERATORS, "NETWORK": networks(wide=False), "NETWORK int16": networks(wide=True)}


@pytest.fixture(scope="module", params=["qemu_an500", "qemu_an386"])
def board(request):
    with attach(get_board(request.param), print) as attached:
        yield attached


@pytest.mark.parametrize("name", CASES)
@settings(relaxed, max_examples=25)
@given(data=st.data())
def test_case_is_bit_exact(board, name, data):
    bit_exact(board, data.draw(CASES[name]))


@pytest.mark.deep
@pytest.mark.parametrize("name", CASES)
@settings(relaxed, max_examples=100)
@given(data=st.data())
def test_many_cases_are_bit_exact(board, name, data):
    bit_exact(board, data.draw(CASES[name]))


def bit_exact(board, case):
    plan = compile_plan(case.tflite)
    board.load(Loadable(plan.data, plan.plan_id), case.spec)
    q = case.samples(4)
    np.testing.assert_array_equal(
        board.predict(q).raw, tflm(case.tflite, case.fed(q)), err_msg=str(case)
    )

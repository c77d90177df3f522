"""What a model may be as a whole: its edges, types, order and constants."""

import dataclasses

import numpy as np
import pytest

from tests.support.networks.plan_models import IN, model, refused
from tests.support.tflite.factory import Affine, Factory, Window
from tinyrobust.core.abi.plan import CONSTANT_ALIGN
from tinyrobust.models.plan.constants import Constants
from tinyrobust.models.plan.operators.checks import ACTIVATION_TYPES, check_activation
from tinyrobust.models.tflite.reader import read_graph


def edges(**changes):
    """A pool whose input (tensor 0) and output (tensor 1) are changed alike."""

    def change(f):
        for t in f.tensors:
            for name, value in changes.items():
                setattr(t if hasattr(t, name) else t.quantization, name, value)

    return model(lambda f, x: f.max_pool_2d(x, Window()), change=change)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"shape": [2, 4, 4, 2]}, "model: input shape [2, 4, 4, 2]; a batch of 1"),
        ({"shape": [2]}, "model: input shape [2]; a batch of 1"),
        ({"shape": [1]}, "model: input shape [1]; a batch of 1"),
        ({"shape": [1, 0, 4, 2]}, "1 to 4 dimensions of 1 to 65536 fit"),
        ({"shape": [1, 1, 1, 1, 2]}, "1 to 4 dimensions of 1 to 65536 fit"),
        ({"shape": []}, "1 to 4 dimensions of 1 to 65536 fit"),
        ({"shape": [1, 65_537]}, "1 to 4 dimensions of 1 to 65536 fit"),
        ({"shape": [1, 1025, 1024, 1]}, "at most 1048576 bytes fit"),
        ({"type": 3}, "is UINT8, INT8 and INT16 are supported"),
        ({"scale": [0.1, 0.1]}, "has 2 scales, 1 is supported"),
        ({"zeroPoint": []}, "has 1 scales, 1 is supported"),
        ({"zeroPoint": [128]}, "has zero point 128, INT8 takes -128 to 127"),
        ({"zeroPoint": [-129]}, "has zero point -129, INT8 takes -128 to 127"),
        ({"zeroPoint": [128]}, "export a full-integer model"),
        ({"type": 7, "zeroPoint": [1]}, "has zero point 1, INT16 takes 0 to 0"),
        ({"type": 7, "zeroPoint": [-1]}, "has zero point -1, INT16 takes 0 to 0"),
    ],
)
def test_edges_that_no_chip_could_be_fed_are_refused(changes, why):
    assert why in refused(edges(**changes))


@pytest.mark.parametrize(
    "changes", [{"zeroPoint": [127]}, {"zeroPoint": [-128]}, {"shape": [1, 1024, 1024, 1]}]
)
def test_edges_at_their_bounds_are_taken(changes):
    assert refused(edges(**changes)) is None


def test_input_and_output_are_one_each_and_of_one_type():
    f = Factory()
    x = f.input((1, 2, 2, 1), IN)
    y = f.max_pool_2d(x, Window())
    f.tensors[y.index].type, f.tensors[y.index].quantization.zeroPoint = 7, [0]
    assert (
        refused(f.build(x, y)) == "model: its input is INT8, its output INT16; give both one type"
    )
    f.tensors[x.index].type, f.tensors[y.index].type = 7, 9
    f.tensors[x.index].quantization.zeroPoint = [0]
    assert (
        refused(f.build(x, y)) == "model: its input is INT16, its output INT8; give both one type"
    )


def test_a_tensor_of_another_type_than_the_models_is_named():
    f = Factory()
    x = f.input((1, 2, 2, 1), Affine(0.05))
    y = f.max_pool_2d(x, Window())
    z = f.max_pool_2d(y, Window())
    f.tensors[y.index].type = 7
    assert "tensor 1 (t1) is INT16 in a model of INT8 activations" in refused(f.build(x, z))
    for i in (x.index, z.index):
        f.tensors[i].type = 7
    f.tensors[y.index].type = 9
    assert "tensor 1 (t1) is INT8 in a model of INT16 activations" in refused(f.build(x, z))


def test_constants_are_no_activations():
    f = Factory()
    x = f.input((1, 2, 2, 1), IN)
    constant = f.input((1, 2, 2, 1), IN)
    f.tensors[constant.index].buffer = len(f.buffers)
    f.buffers.append(type(f.buffers[0])())
    f.buffers[-1].data = np.zeros(4, np.uint8)
    assert "input 1 is a constant" in refused(f.build(x, f.add(x, constant, IN)))
    y = f.max_pool_2d(constant, Window())
    assert "model: input shape [1, 2, 2, 1]; a batch of 1" in refused(f.build(constant, y))


def test_tensors_are_computed_before_they_are_read_and_once():
    f = Factory()
    x = f.input((1, 2, 2, 1), IN)
    y = f.max_pool_2d(x, Window())
    z = f.max_pool_2d(y, Window())
    assert refused(f.build(x, x)) is None
    f.operators.reverse()
    assert (
        refused(f.build(x, z))
        == "model: MAX_POOL_2D (operator 0) reads tensor 1 before it is computed"
    )
    f.operators.pop(0)
    assert refused(f.build(x, z)) == "model: its output, tensor 2, is never computed"
    f.operators.append(f.operators[0])
    assert (
        refused(f.build(x, y))
        == "model: MAX_POOL_2D (operator 1) writes tensor 1, which is already there"
    )
    f.operators.clear()
    assert refused(f.build(x, x)) == "model: it has no operators"


def test_equal_tables_are_shared_and_constants_aligned():
    constants = Constants()
    first = constants.add(np.arange(3, dtype=np.int8))
    second = constants.share(np.arange(5, dtype=np.int16))
    assert (first, second) == (0, CONSTANT_ALIGN)
    assert constants.share(np.arange(5, dtype=np.int16)) == second
    assert constants.share(np.arange(6, dtype=np.int16)) == second + CONSTANT_ALIGN
    assert bytes(constants.data[16:26]) == np.arange(5, dtype="<i2").tobytes()
    assert len(constants.data) == 2 * CONSTANT_ALIGN + 12


@pytest.mark.parametrize("dtype", ACTIVATION_TYPES)
def test_every_type_of_activations_is_checked_alike(dtype):
    (tensor, _) = read_graph(edges(zeroPoint=[0])).tensors
    assert check_activation(dataclasses.replace(tensor, tflite_type=dtype)).tflite_type == dtype

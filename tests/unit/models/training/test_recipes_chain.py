"""The MLPerf Tiny networks and the studies' own have the published sizes, and lower exactly at 4
bits.
"""

import numpy as np
import pytest

from tinyrobust.core.types import TensorSpec
from tinyrobust.models.data.download import bench_data
from tinyrobust.models.export.lower import lower
from tinyrobust.models.keras.batchnorm import copy_folded, folded
from tinyrobust.models.keras.quantizers import W4
from tinyrobust.models.keras.tf import keras
from tinyrobust.models.networks import published
from tinyrobust.models.rungs import parity
from tinyrobust.models.rungs.predictors import KerasPredictor, TflmPredictor
from tinyrobust.models.tflite.reader import read_graph

pytestmark = pytest.mark.slow

PUBLISHED = {
    "kws_ref_model.tflite": published.DS_CNN,
    "vww_96_int8.tflite": published.MOBILENET_V1,
    "ad01_int8.tflite": published.FC_AUTOENCODER,
}
WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def _parameters(model):
    return sum(kernel.size + bias.size for kernel, bias in folded(model).values())


@pytest.mark.parametrize(
    ("chain", "count"),
    [
        (published.DS_CNN, 22_604),
        (published.MOBILENET_V1, 210_850),
        (published.FC_AUTOENCODER, 265_864),
        (published.MLP_S2, 79_510),
        (published.COFFEE_CNN, 251_324),
    ],
    ids=lambda c: getattr(c, "name", ""),
)
def test_parameters_after_folding(chain, count):
    assert _parameters(chain.build_float()) == count


@pytest.mark.parametrize(("file", "chain"), PUBLISHED.items(), ids=lambda v: getattr(v, "name", v))
def test_parameters_are_mlperf_tinys(file, chain):
    root = bench_data()
    if root is None:
        pytest.skip("BENCH_DATA is unset: the MLPerf Tiny models are not here")
    graph = read_graph((root / "mlperf_tiny" / file).read_bytes())
    weights = [
        graph.tensors[i]
        for op in graph.operators
        if op.name.split()[0] in WEIGHTED
        for i in op.inputs[1:3]
    ]
    assert _parameters(chain.build_float()) == sum(int(np.prod(t.shape)) for t in weights)


@pytest.mark.parametrize(
    "chain", [published.DS_CNN, published.FC_AUTOENCODER, published.MLP_S2], ids=lambda c: c.name
)
def test_lowers_exactly_with_outputs_that_differ(chain):
    keras.utils.set_random_seed(1)
    full, qat = chain.build_float(), chain.build_qat(W4)
    rng = np.random.default_rng(1)
    for layer in full.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            n = layer.gamma.shape[0]
            layer.set_weights(
                [rng.uniform(1, 2, n), rng.normal(0.3, 0.3, n), np.zeros(n), rng.uniform(0.3, 1, n)]
            )
    copy_folded(full, qat)
    spec = TensorSpec(tuple(full.input_shape[1:]), 1 / 128, 0)
    q = rng.integers(-128, 128, (8, *spec.shape)).astype(np.int8)
    tflm = TflmPredictor(lower(qat, spec))
    try:
        result = parity.compare(KerasPredictor(qat, "qat", spec), tflm, tflm.output, q)
        assert result.exact, str(result)
        assert len(np.unique(tflm.predict(q).raw)) > 8, "constant outputs prove nothing"
    finally:
        tflm.close()

"""The MLPerf Tiny networks and the studies' own have the published sizes, and lower exactly at 4 bits."""

import numpy as np
import pytest

from host.types import TensorSpec
from models import coffee_cnn, ds_cnn, fc_autoencoder, mlp_s2, mobilenet_v1, parity
from models.batchnorm import copy_folded, folded
from models.download import bench_data
from models.graph import read_graph
from models.lower import lower
from models.quantizers import W4
from models.reference import KerasPredictor, TflmPredictor
from models.tf import keras

pytestmark = pytest.mark.slow

PUBLISHED = {
    "kws_ref_model.tflite": ds_cnn.CHAIN,
    "vww_96_int8.tflite": mobilenet_v1.CHAIN,
    "ad01_int8.tflite": fc_autoencoder.CHAIN,
}
WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def _parameters(model):
    return sum(kernel.size + bias.size for kernel, bias in folded(model).values())


@pytest.mark.parametrize(
    ("chain", "count"),
    [
        (ds_cnn.CHAIN, 22_604),
        (mobilenet_v1.CHAIN, 210_850),
        (fc_autoencoder.CHAIN, 265_864),
        (mlp_s2.CHAIN, 79_510),
        (coffee_cnn.CHAIN, 251_324),
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
    weights = [graph.tensors[i] for op in graph.operators if op.name.split()[0] in WEIGHTED for i in op.inputs[1:3]]
    assert _parameters(chain.build_float()) == sum(int(np.prod(t.shape)) for t in weights)


@pytest.mark.parametrize("chain", [ds_cnn.CHAIN, fc_autoencoder.CHAIN, mlp_s2.CHAIN], ids=lambda c: c.name)
def test_lowers_exactly_with_outputs_that_differ(chain):
    keras.utils.set_random_seed(1)
    full, qat = chain.build_float(), chain.build_qat(W4)
    rng = np.random.default_rng(1)
    for layer in full.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            n = layer.gamma.shape[0]
            layer.set_weights([rng.uniform(1, 2, n), rng.normal(0.3, 0.3, n), np.zeros(n), rng.uniform(0.3, 1, n)])
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

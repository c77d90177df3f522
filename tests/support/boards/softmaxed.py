"""A run on the native board of a network that ends in a steep SOFTMAX: its scores saturate."""

import numpy as np

from tests.support.levels import levels
from tests.support.runs.small_ladder import SmallLadder
from tests.support.tflite.factory import Affine, Factory, Window
from tinyrobust.core.errors import LinkError
from tinyrobust.core.types import Dataset
from tinyrobust.host.config.bench import Config
from tinyrobust.host.devices.device import Device
from tinyrobust.host.link.pipes import ChildPort
from tinyrobust.host.runs.execute import execute
from tinyrobust.models.plan.bundle import build
from tinyrobust.models.rungs.logits import logits_network
from tinyrobust.models.rungs.twin.predictor import TwinPredictor

SHAPE = (8, 8, 1)
SAMPLES = 24
LEVELS = 16
STEEP = 16.0


def softmaxed_tflite():
    """int8 [1, 8, 8, 1] -> int8 [1, 10], with a beta of ``STEEP``."""
    rng = np.random.default_rng(5)
    f = Factory()
    x = f.input((1, *SHAPE), Affine(1 / 128))
    weights = rng.integers(-127, 128, (4, 3, 3, 1), np.int8)
    window, out = Window((3, 3), (2, 2), same=True), Affine(1 / 32, -128)
    y = f.conv_2d(x, weights, [0.01] * 4, np.arange(4, dtype=np.int32), window, out, "RELU")
    dense = rng.integers(-127, 128, (10, 64), np.int8)
    bias = np.arange(10, dtype=np.int32)
    y = f.fully_connected(f.reshape(y, (1, 64)), dense, [0.01], bias, Affine(1 / 8))
    return f.build(x, f.softmax(y, beta=STEEP))


def softmaxed_ladder(cache):
    """Its twin, on inputs labelled by what it answers."""
    tflite = softmaxed_tflite()
    bundle, twin = build(tflite, cache), TwinPredictor(tflite)
    q = levels(SAMPLES, SHAPE, 2)
    data = Dataset("d", q, twin.predict(q).logits.argmax(axis=1), "5a")
    return SmallLadder(
        data, bundle=bundle, name="softmaxed", rungs=(twin,), logits=logits_network(tflite)
    )


class Counting(Device):
    """Counts what it answers to attacks, and is gone after ``after``."""

    after = 10**9
    counted = 0

    def answers(self, questions):
        for answer in super().answers(questions):
            if self.counted >= self.after:
                raise LinkError("the cable is out")
            self.counted += 1
            yield answer


def bench(native, folder, kind=Counting, **settings):
    """A run on the native firmware, a ``kind`` of device: (outcome, what it said, the device)."""
    lines = []
    config = Config(board="native", eps=(LEVELS / 255,), out=folder / "runs", **settings)
    with kind(ChildPort([str(native)]), rung="native") as device:
        ladder = softmaxed_ladder(folder / "cache")
        made = execute(config, ladder, device, folder / "cache", lines.append, lambda *_: None)
    return made, lines, device

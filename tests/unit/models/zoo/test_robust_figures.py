"""Each committed robust accuracy is that of the network that the zoo gives, and can be made again:
clean to the sample, and under a short attack not below it.
"""

import numpy as np
import pytest

from tinyrobust.core.cache import cache_folder
from tinyrobust.core.types import Dataset
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.training.adversarial.example import perturbed
from tinyrobust.models.training.adversarial.plan import LinfAttack
from tinyrobust.models.zoo import robust
from tinyrobust.models.zoo.catalog import ENTRIES, open_model

FIGURES = [(name, row) for name, rows in sorted(robust.read().items()) for row in rows]
QUICK = ("resnet8-8bit-at2", 2)
"""The one that `make test` opens; opening a network costs half a minute."""
FEW = 40
pytestmark = pytest.mark.slow


def _attacked(twin, data: Dataset, levels):
    images, labels = tf.constant(twin.input.dequantize(data.q)), tf.constant(data.labels)
    attack = LinfAttack(levels, 3, 0.8)
    made = perturbed(twin.logits, images, labels, attack, twin.input, tf.constant([0, 0]))
    q = np.asarray(made) / twin.input.scale + twin.input.zero_point
    assert np.abs(q - data.q).max() <= levels
    return q.astype(np.int8)


def test_figures_are_of_networks_that_are_there():
    assert {name for name, _ in FIGURES} <= set(ENTRIES)


if FIGURES:  # an empty list of parameters would be a skip

    @pytest.mark.parametrize(
        ("name", "row"),
        [
            pytest.param(
                name,
                row,
                marks=() if (name, row.levels) == QUICK else pytest.mark.deep,
                id=f"{name}-{row.levels}",
            )
            for name, row in FIGURES
        ],
    )
    def test_a_figure_is_that_of_the_network_in_the_zoo(name, row):
        ladder = open_model(name, cache_folder(), lambda _: None)
        try:
            assert ladder.bundle.sha256 == row.sha256
            twin = next(rung for rung in ladder.rungs if rung.rung == "twin")
            q, labels = ladder.test.q[: row.samples], ladder.test.labels[: row.samples]
            right = twin.predict(q).logits.argmax(axis=1) == labels
            assert int(right.sum()) == row.clean
            few = Dataset("few", q[:FEW], labels[:FEW], "")
            attacked = _attacked(twin, few, row.levels)
            left = np.mean(twin.predict(attacked).logits.argmax(axis=1) == few.labels)
            # Weaker than what the figure stands for, on fewer samples: four standard errors below.
            assert row.standing / row.samples - 4 * 0.5 / FEW**0.5 <= left < np.mean(right[:FEW])
        finally:
            ladder.close()

"""Training that is interrupted ends as if it had not been; what cannot go on says why in one
line.
"""

from dataclasses import replace

import numpy as np
import pytest

from tinyrobust.core.errors import UsageError
from tinyrobust.models.data.digits import SPEC, digits
from tinyrobust.models.keras.tf import keras
from tinyrobust.models.networks import digits_deep
from tinyrobust.models.training.jacobian import Penalty, exact_squared_norm
from tinyrobust.models.training.trainer import Trainer, TrainingPlan

pytestmark = pytest.mark.slow

PLAN = TrainingPlan(epochs=3, batch=64, rate=3e-3, decay=1e-3, seed=5)


def _trainer(folder, plan=PLAN):
    keras.utils.set_random_seed(plan.seed)
    return Trainer(digits_deep.build_float(), digits(), SPEC, plan, folder)


def test_an_interrupted_training_ends_like_a_whole_one(tmp_path):
    whole = _trainer(tmp_path / "whole")
    history = whole.run(lambda _: None)

    def interrupt(line):
        if "epoch 2/3" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _trainer(tmp_path / "cut").run(interrupt)
    said = []
    resumed = _trainer(tmp_path / "cut")
    again = resumed.run(said.append)
    assert len(said) == 1
    assert [e.epoch for e in again] == [0, 1, 2]
    assert again[-1].loss == pytest.approx(history[-1].loss, rel=1e-4)
    for a, b in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_penalty_lowers_the_jacobian(tmp_path):
    norms = []
    for penalty in (None, Penalty(0.1)):
        trainer = _trainer(tmp_path / str(len(norms)), replace(PLAN, epochs=8, penalty=penalty))
        last = trainer.run(lambda _: None)[-1]
        assert last.accuracy > 0.8
        images = SPEC.dequantize(digits().test.q)
        norms.append(float(np.mean(exact_squared_norm(trainer.model, images))))
    assert norms[1] < norms[0] / 3


def test_divergence_is_told(tmp_path):
    with pytest.raises(
        UsageError, match="digits_float32 diverged in epoch 1: lower the learning rate"
    ):
        _trainer(tmp_path, replace(PLAN, rate=float("inf"))).run(lambda _: None)
    assert not list(tmp_path.iterdir())


def test_another_plan_or_a_broken_checkpoint_is_refused(tmp_path):
    _trainer(tmp_path, replace(PLAN, epochs=1)).run(lambda _: None)
    with pytest.raises(UsageError, match="made by another plan"):
        _trainer(tmp_path).run(lambda _: None)
    (tmp_path / "digits_float32.checkpoint.npz").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(UsageError, match="not a checkpoint of digits_float32"):
        _trainer(tmp_path).run(lambda _: None)


def test_a_checkpoint_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(
        UsageError, match="Not a directory: make room there; the last checkpoint is whole"
    ):
        _trainer(tmp_path / "file" / "folder").run(lambda _: None)

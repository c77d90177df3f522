"""Our step attacks and Auto-PGD beside Foolbox's and ART's: one budget fools the same share."""

import warnings

import numpy as np
import pytest

from tests.support.networks import victim
from tests.support.networks.victim import SPEC, Net
from tinyrobust.attacks.base.problem import Norm, Problem
from tinyrobust.attacks.registry import ATTACKS
from tinyrobust.models.keras.tf import tf

EPS = 0.14 * (SPEC.high - SPEC.low)
CLOSE = 0.03
"""Share of 200 samples: random starts are not the same."""

FOOLBOX = {
    "fgsm": ("LinfFastGradientAttack", {}),
    "bim": ("LinfBasicIterativeAttack", {"steps": 10, "rel_stepsize": 0.2}),
    "pgd": ("LinfProjectedGradientDescentAttack", {"steps": 20, "rel_stepsize": 2.5 / 20}),
    "mi-fgsm": ("LinfMomentumIterativeFastGradientMethod", {"steps": 10, "rel_stepsize": 0.1}),
}


@pytest.fixture(scope="module")
def problem():
    q, labels = victim.samples()
    return Problem(q, labels, SPEC, Norm.LINF, EPS, int(0.14 * 255), 3, Net())


def rate(problem, real):
    return np.mean(
        np.asarray(problem.source.logits(tf.constant(real))).argmax(axis=1) != problem.labels
    )


@pytest.mark.parametrize("name", FOOLBOX)
def test_step_attacks_fool_as_many_as_foolboxs(problem, name):
    import foolbox

    kind, how = FOOLBOX[name]
    low, high = SPEC.dequantize(np.array([-128, 127], np.int8)).tolist()
    model = foolbox.TensorFlowModel(problem.source.logits, bounds=(low, high), device="/CPU:0")
    leave = foolbox.criteria.Misclassification(tf.constant(problem.labels))
    tf.random.set_seed(0)
    theirs = (
        getattr(foolbox.attacks, kind)(**how)
        .run(model, tf.constant(problem.real), leave, epsilon=EPS)
        .numpy()
    )
    ours = rate(problem, ATTACKS[name].function(problem))
    assert 0.05 < ours < 0.95, "a rate that any attack reaches compares nothing"
    assert ours == pytest.approx(rate(problem, theirs), abs=CLOSE)


@pytest.mark.slow
def test_auto_pgd_fools_as_many_as_arts(problem):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evasion = pytest.importorskip("art.attacks.evasion", reason="ART is an optional extra")
        from art.estimators.classification import TensorFlowV2Classifier

        classifier = TensorFlowV2Classifier(
            model=lambda real, training=False: problem.source.logits(real),
            nb_classes=3,
            input_shape=SPEC.shape,
            loss_object=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            clip_values=(SPEC.low, SPEC.high),
        )
        attack = evasion.AutoProjectedGradientDescent(
            classifier,
            eps=EPS,
            eps_step=2 * EPS,
            max_iter=100,
            nb_random_init=1,
            batch_size=200,
            loss_type="cross_entropy",
            verbose=False,
        )
        theirs = attack.generate(problem.real, problem.labels)
    ours = rate(problem, ATTACKS["apgd-ce"].function(problem))
    assert ours >= rate(problem, theirs) - CLOSE

import numpy as np
import pytest
import victim
from victim import SPEC, N, Net

from attacks.base import make
from attacks.problem import Needs
from attacks.registry import ATTACKS
from host.types import Cell, Differentiable, FlagKind, Prediction, UsageError


class Blind:
    """A rung without gradients."""

    rung = "float32"
    input = SPEC

    def predict(self, q):
        return Prediction(np.zeros((len(q), 3), np.float32))


@pytest.fixture(scope="module", name="samples")
def _samples():
    return victim.samples()


@pytest.fixture(scope="module")
def net():
    return Net()


def kinds(made):
    return [flag.kind for flag in made.flags]


def accuracy(net, q, labels):
    return np.mean(net.predict(q).logits.argmax(axis=1) == labels)


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("level", [1, 5, 40, 255])
def test_every_attack_is_repeatable_and_in_its_budget(net, samples, name, level):
    q, labels = samples
    source = net if ATTACKS[name].needs is Needs.GRADIENTS else None
    cell = Cell(name, "float32" if source else "-", 0.0 if name == "clean" else level / 255, seed=3)
    first, second = (make(cell, source, q, labels, SPEC) for _ in range(2))
    assert np.array_equal(first.q, second.q)
    assert first.q.dtype == np.int8
    change = np.abs(first.q.astype(int) - q).reshape(N, -1).max(axis=1)
    assert np.array_equal(change, first.linf)
    assert change.max() == (0 if name == "clean" else min(level, 255)) or level == 255


def test_the_order_of_strength(net, samples):
    q, labels = samples
    assert isinstance(net, Differentiable)
    right = {}
    for name in ATTACKS:
        cell = Cell(
            name, "float32" if ATTACKS[name].needs is Needs.GRADIENTS else "-", 0.0 if name == "clean" else 24 / 255
        )
        made = make(cell, net, q, labels, SPEC)
        right[name] = accuracy(net, made.q, labels)
        assert (made.notes, made.flags) == ((), ())
    assert right["pgd"] <= right["fgsm"] < right["noise"] <= right["clean"]
    assert right["clean"] > 0.95


def test_another_seed_is_another_start(net, samples):
    q, labels = samples
    for name in ("noise", "pgd"):
        source = net if name == "pgd" else None
        one, two = (make(Cell(name, "float32", 0.1, seed), source, q, labels, SPEC).q for seed in (0, 1))
        assert not np.array_equal(one, two)


def test_noise_uses_every_level_equally(samples):
    q = np.zeros((5000, *SPEC.shape), np.int8)
    made = make(Cell("noise", "-", 3 / 255), None, q, np.zeros(5000, np.int64), SPEC)
    values, counts = np.unique(made.q, return_counts=True)
    assert values.tolist() == [-3, -2, -1, 0, 1, 2, 3]
    assert counts.min() / counts.max() > 0.95


def test_a_budget_below_one_level_changes_nothing_and_says_so(net, samples):
    q, labels = samples
    made = make(Cell("pgd", "float32", 0.002), net, q, labels, SPEC)
    assert np.array_equal(made.q, q)
    assert made.levels == 0
    assert kinds(made) == [FlagKind.BELOW_ONE_LEVEL]


def test_unlabelled_samples_are_attacked_away_from_the_source(net, samples):
    q, _ = samples
    made = make(Cell("fgsm", "float32", 0.3), net, q, np.full(N, -1), SPEC)
    assert accuracy(net, made.q, net.predict(q).logits.argmax(axis=1)) < 0.5


@pytest.mark.parametrize(
    ("cell", "source", "message"),
    [
        (Cell("pdg", "float32", 0.1), None, "unknown attack .pdg.: did you mean .pgd."),
        (Cell("pgd", "qat", 0.1), None, "not part of this run"),
        (Cell("pgd", "float32", 0.1), Blind(), "needs gradients"),
        (Cell("noise", "-", -0.1), None, "0 to 1"),
    ],
)
def test_refusals_are_one_line(samples, cell, source, message):
    with pytest.raises(UsageError, match=message) as caught:
        make(cell, source, *samples, SPEC)
    assert "\n" not in str(caught.value)


def test_wrong_shape_is_refused(samples):
    q, labels = samples
    with pytest.raises(UsageError, match="do not fit"):
        make(Cell("noise", "-", 0.1), None, q[:, :5], labels, SPEC)


def test_the_registry_needs_no_tensorflow():
    import subprocess
    import sys

    code = "import attacks.base, sys; sys.exit(any(m.split('.')[0] in ('tensorflow', 'foolbox') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0

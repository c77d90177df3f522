"""Every attack of the registry on a small trained network: budget, repeatability, strength."""

import re
import subprocess
import sys

import numpy as np
import pytest

from tests.support.networks.victim import SPEC, Asked, N, Net, right, samples
from tinyrobust.attacks import registry as groups
from tinyrobust.attacks import table
from tinyrobust.attacks.base.input_grid import change, size
from tinyrobust.attacks.base.problem import Lattice, Needs, Norm
from tinyrobust.attacks.make import AttackRequest, make, prepare
from tinyrobust.attacks.registry import ATTACKS
from tinyrobust.core.cells import Cell, FlagKind
from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import Prediction

QUICK = {"clean", "noise", "gaussian", "fgsm", "bim", "pgd", "mi-fgsm", "deepfool", "zoo"}
"""Attacks in the unit minute, one of each sort; all the others are for `make test`."""

FEW = 48
"""Samples for an attack that is given more work than the controls."""

PRESET = re.compile(r"-s\d$|^autoattack|^square$")


def mark(name):
    """Presets repeat what their attack is tested for, at thousands of steps: `make test-deep`.

    `square` is AutoAttack's: `square-linf` with 5,000 questions.
    """
    return () if name in QUICK else pytest.mark.deep if PRESET.search(name) else pytest.mark.slow


NAMES = [pytest.param(name, marks=mark(name)) for name in ATTACKS]


class Blind:
    """A rung without gradients."""

    rung = "float32"
    input = SPEC

    def predict(self, q):
        return Prediction(np.zeros((len(q), 3), np.float32))


def source_of(name):
    needs = ATTACKS[name].needs
    return None if needs is Needs.NOTHING else Net() if needs is Needs.GRADIENTS else Asked()


def cell_of(name, levels=24, seed=3):
    info, source = ATTACKS[name], source_of(name)
    eps = (
        0.0
        if name == "clean"
        else 1.0
        if info.minimises
        else levels / 255
        if info.norm is Norm.LINF
        else 1.0
    )
    return Cell(name, source.rung if source else "-", eps, seed)


def made(name, n=FEW, levels=24, seed=3):
    q, labels = samples()
    return make(
        AttackRequest(cell_of(name, levels, seed), source_of(name), q[:n], labels[:n], SPEC)
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_attack_is_repeatable_in_its_budget_and_stronger_than_noise(name):
    info, (q, labels) = ATTACKS[name], (part[:FEW] for part in samples())
    first, second = made(name), made(name)
    assert np.array_equal(first.q, second.q)
    assert not first.failed.any()
    moved = change(q, first.q)
    assert np.array_equal(size(moved, Norm.LINF) * 255, first.linf)
    assert np.allclose(size(moved, Norm.L2), first.l2)
    assert np.allclose(size(moved, Norm.L1), first.l1)
    assert np.array_equal(size(moved, Norm.L0), first.l0)
    if not info.minimises:
        limit = first.levels / 255 if info.norm is Norm.LINF else first.cell.eps
        assert size(moved, info.norm).max() <= limit + 1e-6
    if info.needs is not Needs.NOTHING and "noise" not in info.title.lower():
        assert_stronger_than_noise(first.q, q, labels)


def assert_stronger_than_noise(adversarial, q, labels):
    """Noise of the same size in every norm does less.

    It is each sample's own perturbation, shuffled, with new signs.
    """
    rng = np.random.default_rng(0)
    flat = rng.permuted(change(q, adversarial).reshape(len(q), -1), axis=1) * rng.choice(
        [-1, 1], (len(q), SPEC.size)
    )
    noise = np.clip(q + flat.reshape(q.shape), -128, 127).astype(np.int8)
    attacked, shuffled = (
        Net().predict(x).logits.argmax(axis=1) == labels for x in (adversarial, noise)
    )
    lost, won = int(np.sum(shuffled & ~attacked)), int(np.sum(attacked & ~shuffled))
    assert lost - won > 2 * np.sqrt(lost + won)


@pytest.mark.parametrize("name", ["noise", "fgsm", "pgd"])
@pytest.mark.parametrize("level", [1, 5, 255])
def test_a_budget_is_spent_to_the_level(name, level):
    assert made(name, levels=level).linf.max() == level or level == 255


def test_the_order_of_strength():
    names = ("clean", "noise", "fgsm", "pgd")
    attacked = {name: made(name, n=N) for name in names}
    share = {name: right(Net(), attacked[name].q).mean() for name in names}
    assert share["pgd"] <= share["fgsm"] < share["noise"] <= share["clean"]
    assert share["clean"] > 0.95
    assert all((one.notes, one.flags) == ((), ()) for one in attacked.values())


@pytest.mark.parametrize("name", ["noise", "pgd"])
def test_another_seed_is_another_start(name):
    assert not np.array_equal(made(name, seed=0).q, made(name, seed=1).q)


def test_noise_uses_every_level_equally():
    q = np.zeros((5000, *SPEC.shape), np.int8)
    noise = make(
        AttackRequest(Cell("noise", "-", 3 / 255), None, q, np.zeros(5000, np.int64), SPEC)
    )
    values, counts = np.unique(noise.q, return_counts=True)
    assert values.tolist() == [-3, -2, -1, 0, 1, 2, 3]
    assert counts.min() / counts.max() > 0.95


def test_a_budget_below_one_level_changes_nothing_and_says_so():
    q, labels = samples()
    none = make(AttackRequest(Cell("pgd", "float32", 0.002), Net(), q, labels, SPEC))
    assert np.array_equal(none.q, q)
    assert none.levels == 0
    assert [flag.kind for flag in none.flags] == [FlagKind.BELOW_ONE_LEVEL]


def test_unlabelled_samples_are_attacked_away_from_the_source():
    q, _ = samples()
    answered = Net().predict(q).logits.argmax(axis=1)
    turned = make(AttackRequest(Cell("fgsm", "float32", 0.3), Net(), q, np.full(N, -1), SPEC))
    assert np.mean(Net().predict(turned.q).logits.argmax(axis=1) == answered) < 0.5


@pytest.mark.parametrize(
    ("cell", "source", "message"),
    [
        (Cell("pdg", "float32", 0.1), None, "unknown attack 'pdg': did you mean 'pgd'"),
        (Cell("pgd", "qat", 0.1), None, "not part of this run"),
        (Cell("pgd", "float32", 0.1), Blind(), "needs gradients"),
        (Cell("noise", "-", -0.1), None, "0 to 1"),
    ],
)
def test_refusals_are_one_line(cell, source, message):
    with pytest.raises(UsageError, match=message) as caught:
        prepare(AttackRequest(cell, source, *samples(), SPEC, Lattice.AFTER))
    assert "\n" not in str(caught.value)


def test_wrong_shape_is_refused():
    q, labels = samples()
    with pytest.raises(UsageError, match="do not fit"):
        make(AttackRequest(Cell("noise", "-", 0.1), None, q[:, :5], labels, SPEC))


def test_the_tables_of_the_docs_are_the_registrys():
    page = table.PAGE.read_text(encoding="utf-8")
    assert table.written(page) == page, "run python -m tinyrobust.attacks.table"
    assert all(f"`{name}`" in page for name in (*ATTACKS, *groups.groups()))


def test_every_preset_is_in_its_studys_group_and_every_group_has_attacks():
    for name, row in ATTACKS.items():
        assert not row.eps or any(
            name in members for key, members in groups.groups().items() if key in groups.STUDIES
        )
    assert all(set(members) <= set(ATTACKS) for members in groups.groups().values())


def test_the_registry_needs_no_tensorflow():
    code = (
        "import tinyrobust.attacks.make, sys; "
        "sys.exit(any(m.split('.')[0] in ('tensorflow', 'foolbox') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0

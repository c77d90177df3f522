"""What only the records show: each defect planted in a run of its own, and a sane run that shows
none.
"""

import numpy as np
import pyarrow as pa
import pytest

from tests.support.runs import synthetic
from tests.support.runs.rows import cell_of
from tinyrobust.core.cells import Cell, Flag, FlagKind
from tinyrobust.host.analysis.flags import ADVICE, flags

N = 400


def answers(share):
    """Predictions of which ``share`` is right, the first ones."""
    return (np.arange(N) >= round(share * N)).astype(int)


def seen(*parts, kinds=None):
    """Kinds of the flags on a run of (cell, rung, share right) or (cell, rung, share right, l2)."""
    table = pa.concat_tables(
        [
            cell_of(cell, rung, answers(share), l2=more[0] if more else None)
            for cell, rung, share, *more in parts
        ]
    )
    manifest = synthetic.manifest(n=N, flags=kinds or ())
    return [(flag.kind, flag.cell) for flag in flags(table, manifest)]


def clean(rung, share=0.95):
    return Cell("clean", "-", 0.0), rung, share


def test_a_sane_run_shows_none():
    assert flags(synthetic.table(), synthetic.manifest()) == []


def test_every_kind_says_what_to_try():
    assert set(ADVICE) == set(FlagKind)


def test_transfer_stronger_than_white_box():
    own, other = Cell("pgd", "qat", 0.1), Cell("pgd", "float32", 0.1)
    assert seen((own, "qat", 0.6), (other, "qat", 0.3)) == [(FlagKind.TRANSFER_STRONGER, own)]
    assert seen((own, "qat", 0.3), (other, "qat", 0.6)) == []
    assert seen((own, "qat", 0.30), (other, "qat", 0.29)) == [], "chance is no finding"


def test_a_black_box_that_transfer_beats():
    """Square leaves 72.7 % where PGD, made on the float network and carried over, leaves 55.5."""
    square, carried = Cell("square", "board", 0.1), Cell("pgd", "float32", 0.1)
    assert seen((square, "board", 0.727), (carried, "board", 0.555)) == [
        (FlagKind.TRANSFER_STRONGER, square)
    ]
    assert seen((square, "board", 0.5), (carried, "board", 0.555)) == []
    other_norm = Cell("pgd", "float32", 0.2)
    assert seen((square, "board", 0.727), (other_norm, "board", 0.555)) == []
    same = Cell("pgd", "twin", 0.1)
    assert seen((square, "board", 0.7), (same, "board", 0.5)) == [], "the twin is no other network"


def test_an_attack_that_minimises_finds_nearer_points_elsewhere():
    own, other = Cell("deepfool", "qat", 1.0), Cell("deepfool", "float32", 1.0)
    far, near = np.full(N, 2.0), np.full(N, 1.0)
    parts = [clean("qat", 1.0), (own, "qat", 0, far)]
    assert seen(*parts, (other, "qat", 0, near)) == [(FlagKind.TRANSFER_STRONGER, own)]
    assert seen(*parts, (other, "qat", 0, far)) == []
    assert seen(*parts, (other, "qat", 0.6, near)) == [], "it reaches fewer than half"


def test_black_box_stronger_than_white_box_on_the_same_network():
    white, black = Cell("pgd", "twin", 0.1), Cell("square", "board", 0.1)
    assert seen((white, "board", 0.6), (black, "board", 0.3)) == [], (
        "the white box has not been judged on its source"
    )
    own = (white, "twin", 0.6)
    assert seen(own, (white, "board", 0.6), (black, "board", 0.3)) == [
        (FlagKind.BLACK_BOX_STRONGER, black)
    ]
    assert seen(own, (white, "board", 0.2), (black, "board", 0.3)) == []
    assert (
        seen(own, (white, "float32", 0.6), (Cell("square", "float32", 0.1), "float32", 0.3)) == []
    )


def test_black_box_finds_nearer_points():
    white, black = Cell("deepfool", "twin", 1.0), Cell("boundary", "twin", 1.0)
    far, near = np.full(N, 2.0), np.full(N, 1.0)
    parts = [clean("twin", 1.0), (white, "twin", 0, far)]
    assert seen(*parts, (black, "twin", 0, near)) == [(FlagKind.BLACK_BOX_STRONGER, black)]
    assert seen(*parts, (black, "twin", 0, 2 * far)) == []


def test_more_eps_with_less_effect():
    cells = [Cell("pgd", "qat", eps) for eps in (0.1, 0.2, 0.3)]
    shares = (0.6, 0.3, 0.5)
    assert seen(*((c, "qat", s) for c, s in zip(cells, shares, strict=True))) == [
        (FlagKind.NOT_MONOTONE, cells[2])
    ]


def test_an_unbounded_attack_that_leaves_some():
    bounded, minimal = Cell("pgd", "qat", 1.0), Cell("deepfool", "qat", 1.0)
    assert seen((bounded, "qat", 0.02)) == [(FlagKind.UNBOUNDED_SURVIVED, bounded)]
    assert seen((bounded, "qat", 0.0)) == []
    parts = [clean("qat")]
    assert seen(*parts, (minimal, "qat", 0.1, np.ones(N))) == [
        (FlagKind.UNBOUNDED_SURVIVED, minimal)
    ]
    assert seen(*parts, (minimal, "qat", 0.0, np.ones(N))) == []
    assert seen(clean("board"), (minimal, "board", 0.5, np.ones(N))) == [], "transfer may fail"


def test_a_black_box_no_stronger_than_noise():
    noise, square = Cell("noise", "-", 0.2), Cell("square", "tflm", 0.2)
    parts = [clean("tflm"), (noise, "tflm", 0.7)]
    assert seen(*parts, (square, "tflm", 0.7)) == [(FlagKind.NOISE_AS_STRONG, square)]
    assert seen(*parts, (square, "tflm", 0.5)) == []
    assert seen(clean("tflm"), (noise, "tflm", 0.95), (square, "tflm", 0.95)) == [], (
        "noise does no harm here"
    )


def test_flags_of_the_making_are_kept_once():
    flag = Flag(FlagKind.MASKED_GRADIENTS, Cell("pgd", "qat", 0.1), "all of them")
    assert seen(clean("qat"), kinds=(flag, flag)) == [(flag.kind, flag.cell)]


@pytest.mark.parametrize("kind", FlagKind)
def test_the_manifest_keeps_flags_and_kinds(kind):
    manifest = synthetic.manifest(flags=(Flag(kind, Cell("pgd", "qat", 0.1, 3), "why"),))
    assert type(manifest).from_json(manifest.to_json()) == manifest

import dataclasses

import numpy as np
import pytest

from tests.support.runs import synthetic
from tinyrobust.core.cells import Cell
from tinyrobust.core.errors import UsageError
from tinyrobust.host.analysis.metrics import summarise
from tinyrobust.host.records.examples import Examples, read_examples, write_examples
from tinyrobust.host.report.figures import INK, draw
from tinyrobust.host.report.pictures import amplification, chosen, pictures
from tinyrobust.host.report.plots import curves


@pytest.fixture(scope="module")
def rows():
    return summarise(synthetic.table(), synthetic.manifest())


def shown(figure):
    return [axis for axis in figure.axes if axis.get_visible()]


def test_a_panel_for_each_attack_and_source_with_a_line_for_each_rung(rows):
    panels = shown(curves(rows))
    assert [p.get_title() for p in panels] == [
        "noise",
        "fgsm made on float32",
        "pgd made on float32",
        "pgd made on qat",
    ]
    board = next(line for line in panels[3].get_lines() if line.get_label() == "board")
    mine = [
        r
        for r in rows
        if r.rung == "board" and (r.attack == "clean" or (r.attack, r.source) == ("pgd", "qat"))
    ]
    assert board.get_xdata() == pytest.approx([r.eps * 255 for r in mine])
    assert board.get_ydata() == pytest.approx([r.accuracy for r in mine])
    labels = {
        line.get_label() for line in panels[3].get_lines() if not line.get_label().startswith("_")
    }
    assert labels == {"float32", "qat", "tflm", "board", "eps that reached the chip"}


def test_the_second_marker_stands_at_the_eps_that_reached_the_chip(rows):
    asked = [dataclasses.replace(r, eps=r.eps * 1.4) for r in rows]
    panel = shown(curves(asked))[0]
    marks = next(
        line for line in panel.get_lines() if line.get_label() == "eps that reached the chip"
    )
    assert marks.get_xdata() == pytest.approx([1, 4, 8, 16])


def test_seeds_have_panels_of_their_own():
    cells = (Cell("clean", "-", 0.0), *(Cell("noise", "-", 0.1, seed) for seed in (0, 1)))
    figure = curves(summarise(synthetic.table(cells=cells), synthetic.manifest()))
    assert [p.get_title() for p in shown(figure)] == ["noise, seed 0", "noise, seed 1"]


def test_without_labels_the_curves_are_of_agreement():
    figure = curves(summarise(synthetic.table(labelled=False), synthetic.manifest()))
    assert shown(figure)[0].get_ylabel() == "agreement with float32"


def test_nothing_to_draw():
    assert curves([]) is None
    assert (
        curves(summarise(synthetic.table(cells=(Cell("clean", "-", 0.0),)), synthetic.manifest()))
        is None
    )


def test_figures_are_repeatable_and_take_the_page_colour(rows):
    one = draw(curves(rows))
    assert one == draw(curves(rows))
    assert one.svg.startswith("<svg")
    assert INK in one.svg
    assert INK not in one.inline
    assert "currentColor" in one.inline
    assert one.png.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "shape", [(8, 8, 1), (32, 32, 3), (49, 10, 1), (49, 10), (640,), (1, 1, 5), (4, 4, 7)]
)
def test_every_shape_is_drawn(shape):
    figure = pictures(synthetic.examples(shape), synthetic.manifest())
    assert len(draw(figure).png) > 1000
    assert len(figure.axes[0].get_children()) > 4 * 3 * 9


def test_many_attacks_get_one_row_each_and_few_get_three():
    cells = [Cell("pgd", f"source {i}", eps) for i in range(12) for eps in (0.1, 0.2, 0.3)]
    assert [cells[k].eps for k in chosen(cells)] == [0.2] * 12
    assert [cells[k].eps for k in chosen(cells[:9])] == [0.1, 0.2, 0.3] * 3


def test_the_factor_is_stated_and_fills_the_range():
    zero = np.zeros((2, 4), np.int8)
    assert amplification(zero, zero) == 1
    assert amplification(zero, zero + np.int8(8)) == 15
    assert amplification(zero + np.int8(-128), zero + np.int8(127)) == 1
    labels = [
        text.get_text()
        for text in pictures(synthetic.examples(), synthetic.manifest()).axes[0].texts
    ]
    assert "pgd on qat\n8/255\nchange x15" in labels


def test_only_perturbed_cells_are_pictured():
    one = synthetic.examples()
    assert (
        pictures(
            Examples(one.cells[:1], one.clean[:1], one.adversarial[:1], one.labels[:1]),
            synthetic.manifest(),
        )
        is None
    )


def test_examples_round_trip(tmp_path):
    one = synthetic.examples((4, 4, 3))
    with (tmp_path / "examples.npz").open("wb") as file:
        write_examples(file, one)
    back = read_examples(tmp_path / "examples.npz")
    assert back.cells == one.cells
    for name in ("clean", "adversarial", "labels"):
        assert np.array_equal(getattr(back, name), getattr(one, name))


@pytest.mark.parametrize(
    "change",
    [{"names": ["pgd"]}, {"clean": np.zeros((1, 2), np.int8)}, {"labels": np.zeros((9, 9))}],
)
def test_foreign_examples_are_refused(tmp_path, change):
    q = np.zeros((1, 2, 4), np.int8)
    arrays = {"names": ["pgd/qat/0.1/0"], "clean": q, "adversarial": q, "labels": np.zeros((1, 2))}
    np.savez(tmp_path / "examples.npz", **(arrays | change))
    with pytest.raises(UsageError, match="not an examples file"):
        read_examples(tmp_path / "examples.npz")


def test_a_cut_file_is_refused(tmp_path):
    with (tmp_path / "examples.npz").open("wb") as file:
        write_examples(file, synthetic.examples())
    whole = (tmp_path / "examples.npz").read_bytes()
    (tmp_path / "examples.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UsageError, match="not an examples file"):
        read_examples(tmp_path / "examples.npz")

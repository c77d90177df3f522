"""The study's figure is the worst case of a run's records, at the budget that was trained at."""

import numpy as np
import pytest

from tests.support.runs.synthetic import FEW, run_folder, table
from tinyrobust.core.errors import UsageError
from tinyrobust.studies import robust_zoo
from tinyrobust.studies.robust_zoo import measured, trained_levels


def test_a_figure_counts_the_samples_that_no_attack_turned_on_the_device(tmp_path):
    folder = run_folder(tmp_path, attacks=("clean", "pgd"))
    row = measured(folder, 16)
    records = table(FEW)
    right = np.array(records["predicted"]) == np.array(records["label"])
    device = np.array(records["rung"]) == "board"
    clean = np.array(records["attack"]) == "clean"
    undisturbed, attacked = right[device & clean], right[device & ~clean]
    assert (row.levels, row.samples, row.attacks) == (16, 200, ("pgd",))
    assert row.clean == undisturbed.sum()
    assert row.standing == (undisturbed & attacked).sum()
    assert 0 < row.standing < row.clean
    assert row.sha256 == "cd" * 32


def test_a_run_at_another_budget_is_one_line(tmp_path):
    with pytest.raises(UsageError, match="no attack at 2/255"):
        measured(run_folder(tmp_path), 2)


@pytest.mark.parametrize(
    ("name", "levels"),
    [("resnet8-8bit-at2", 2), ("resnet8-4bit-at8-jr", 8), ("resnet8-ptq-at2", 2)],
)
def test_the_budget_is_that_of_the_training(name, levels):
    assert trained_levels(name) == levels


@pytest.mark.parametrize("name", ["resnet8-8bit", "resnet8-8bit-jr", "resnet8-at2-8bit"])
def test_a_network_that_was_not_trained_for_it_needs_a_budget(name):
    with pytest.raises(UsageError, match="--levels"):
        trained_levels(name)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["resnet9-8bit-at2"], "not in the zoo"),
        (["resnet8-8bit"], "not trained on adversarial examples"),
        (["resnet8-8bit", "--levels", "0"], "give 1 to 255"),
    ],
)
def test_a_mistake_is_one_line_and_code_2(monkeypatch, capsys, words, told):
    monkeypatch.setattr("sys.argv", ["robust_zoo", *words])
    assert robust_zoo.main() == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert told in said
    assert said.count("\n") == 1

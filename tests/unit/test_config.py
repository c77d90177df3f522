"""bench.toml and the sweep: what is accepted, what is refused and how it is named."""

import pytest

from host.config import Config, load, number, override, parse
from host.floors import Floor, Gate
from host.sweep import cells
from host.types import Cell, UsageError


def test_empty_file_is_the_default():
    assert parse("", "bench.toml") == Config()
    assert len(Config().eps) >= 6


def test_every_key_is_read():
    text = """
    model = "M.tflite"
    float_model = "M.h5"
    data = "D.npz"
    board = "native"
    attacks = ["clean", "pgd"]
    eps = ["8/255", 0.5, 0]
    sources = ["float32"]
    samples = 10
    seeds = [1, 2]
    out = "there"
    [gate]
    rung = "tflm"
    differing_bytes = 2
    [[gate.floors]]
    attack = "pgd"
    source = "qat"
    eps = "8/255"
    accuracy = 0.5
    """
    config = parse(text, "bench.toml")
    assert config.eps == (8 / 255, 0.5, 0.0)
    assert (config.samples, config.seeds, config.out.name) == (10, (1, 2), "there")
    assert config.gate == Gate("tflm", (Floor("pgd", 0.5, "qat", 8 / 255),), 2)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("epsilon = 1", "unknown key 'epsilon'"),
        ("eps = [-0.1]", "eps -0.1"),
        ("eps = [1.5]", "eps 1.5"),
        ("eps = [nan]", "eps nan"),
        ('eps = ["1/0"]', "fraction such as"),
        ("eps = [true]", "fraction such as"),
        ("eps = []", "eps: at least one"),
        ("eps = [0.1, 0.1]", "names one twice"),
        ("samples = 0", "samples 0"),
        ("samples = 1.5", "samples must be a whole number"),
        ("seeds = [-1]", "seed -1"),
        ('attacks = "pgd"', "attacks must be a list"),
        ('model = "M.tflite"', "needs --data"),
        ('float_model = "M.h5"', "go with a .tflite"),
        ("model = ?", "line 1"),
        ("gate = 1", "gate must be a table"),
        ("[gate]\nfloor = 1", "gate unknown key 'floor'"),
        ("[gate]\ndiffering_bytes = -1", "differing_bytes -1"),
        ('[[gate.floors]]\nattack = "pgd"', "gate floors needs attack and accuracy"),
        ('[[gate.floors]]\nattack = "pgd"\naccuracy = 87', "accuracy 87"),
        ('[[gate.floors]]\nattack = "pgd"\naccuracy = 0.5\neps = nan', "eps nan"),
    ],
)
def test_bad_values_are_refused_by_name(text, says):
    with pytest.raises(UsageError, match=r"^bench\.toml: ") as error:
        parse(text, "bench.toml")
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_and_endless_files_are_refused(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        load(tmp_path / "bench.toml")
    (tmp_path / "long.toml").write_text("#" * 100_000)
    with pytest.raises(UsageError, match="longer than"):
        load(tmp_path / "long.toml")


def test_override_keeps_what_is_not_given():
    config = override(Config(samples=5), board="native", samples=None)
    assert (config.board, config.samples) == ("native", 5)
    with pytest.raises(UsageError, match="eps 2"):
        override(config, eps=(2.0,))


def test_number_takes_fractions():
    assert number(" 4/255 ") == 4 / 255


def test_cells_are_clean_first_then_every_source_and_eps():
    config = Config(attacks=("pgd", "clean", "noise"), eps=(0.1, 0.2), seeds=(7,))
    got = cells(config, ("float32", "qat", "twin"))
    assert got[0] == Cell("clean", "-", 0.0)
    assert [c.source for c in got[1:5]] == ["float32", "float32", "qat", "qat"]
    assert got[5:] == (Cell("noise", "-", 0.1, 7), Cell("noise", "-", 0.2, 7))
    assert len(set(got)) == len(got)


def test_sources_fall_back_to_the_twin_and_are_checked():
    config = Config(attacks=("fgsm",), eps=(0.1,))
    assert [cell.source for cell in cells(config, ("float32", "twin"))[1:]] == ["float32", "twin"]
    assert cells(config, ("twin",))[1].source == "twin"
    with pytest.raises(UsageError, match="needs a rung with gradients"):
        cells(config, ())
    with pytest.raises(UsageError, match="source 'qat'"):
        cells(override(config, sources=("qat",)), ("float32",))
    with pytest.raises(UsageError, match="unknown attack 'pdg'"):
        cells(override(config, attacks=("pdg",)), ("float32",))
